//! Both engines on the same networks, and networks that must be refused.

use hemora_ct::LABEL_COUNT;
use hemora_infer::{Engine, EngineError, EngineKind, OrtEngine, Output, TractEngine, load_engine};
use hemora_nn::networks::{Head, Options, build};
use hemora_nn::onnx;
use rayon::prelude::*;

use crate::support::{SIZE, image, onnxruntime, pseudo_random_weights, small_graph, small_onnx};

fn tract(onnx: &[u8]) -> Result<TractEngine, EngineError> {
    TractEngine::load(onnx, 3, SIZE)
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn outputs(engine: &dyn Engine, threads: usize) -> Vec<Output> {
    pool(threads)
        .install(|| (0..40).into_par_iter().map(|seed| engine.run(&image(seed)).unwrap()).collect())
}

fn assert_close(a: &Output, b: &Output) {
    for (a, b) in a.probabilities.iter().zip(b.probabilities) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
    let (a, b) = (a.features.as_ref().unwrap(), b.features.as_ref().unwrap());
    assert_eq!((a.channels, a.rows, a.columns), (b.channels, b.rows, b.columns));
    for (a, b) in a.values.iter().zip(&b.values) {
        assert!((a - b).abs() < 1e-3, "{a} and {b}");
    }
}

#[test]
fn tract_and_onnx_runtime_agree() {
    let Some(library) = onnxruntime() else { return };
    let onnx = small_onnx();
    let runtime = OrtEngine::load(&onnx, 3, SIZE, Some(&library)).unwrap();
    let tract = tract(&onnx).unwrap();
    assert_eq!((tract.name(), runtime.name()), ("tract", "onnxruntime"));
    for seed in 0..10 {
        let (a, b) = (tract.run(&image(seed)).unwrap(), runtime.run(&image(seed)).unwrap());
        assert_close(&a, &b);
        assert_eq!(a.features.unwrap().channels, 12);
    }
    assert_eq!(outputs(&runtime, 1), outputs(&runtime, 4), "whatever the thread count");

    let options = Options { size: 64, head: Some(Head::Sigmoid(6)), ..Options::default() };
    let graph = build("efficientnet-lite0", &options).unwrap().unwrap();
    let onnx = onnx::write(&graph, &pseudo_random_weights_with_variance(&graph)).unwrap();
    let runtime = OrtEngine::load(&onnx, 3, 64, Some(&library)).unwrap();
    let tract = TractEngine::load(&onnx, 3, 64).unwrap();
    let input: Vec<f32> = (0..3 * 64 * 64).map(|index| (index as f32 * 0.37).sin()).collect();
    assert_close(&tract.run(&input).unwrap(), &runtime.run(&input).unwrap());
}

/// Running variances must be positive.
fn pseudo_random_weights_with_variance(graph: &hemora_nn::Graph) -> hemora_nn::Weights {
    let mut weights = pseudo_random_weights(graph);
    for parameter in graph.parameters() {
        if parameter.name.ends_with("running_var") {
            let values = vec![1.0; parameter.len()];
            weights.insert(&parameter.name, hemora_nn::Tensor { shape: parameter.shape, values });
        }
    }
    weights
}

#[test]
fn the_thread_count_changes_nothing() {
    let engine = tract(&small_onnx()).unwrap();
    let single = outputs(&engine, 1);
    assert_eq!(single, outputs(&engine, 4));
    assert!(single.windows(2).all(|pair| pair[0] != pair[1]), "the images differ");
}

#[test]
fn outputs_are_taken_by_position_so_that_other_names_work() {
    let mut foreign = small_onnx();
    // Names of the same length keep the protocol buffers valid.
    for (name, other) in
        [("input", "image"), ("probabilities", "class_outputs"), ("features", "last_map")]
    {
        let positions: Vec<usize> = (0..foreign.len() - name.len())
            .filter(|&at| &foreign[at..at + name.len()] == name.as_bytes())
            .collect();
        assert!(positions.len() >= 2, "{name} is defined and used");
        for at in positions {
            foreign[at..at + name.len()].copy_from_slice(other.as_bytes());
        }
    }
    let output = tract(&foreign).unwrap().run(&image(1)).unwrap();
    assert_eq!(output, tract(&small_onnx()).unwrap().run(&image(1)).unwrap());
}

#[test]
fn networks_that_do_not_fit_are_refused_when_loaded() {
    let onnx = small_onnx();
    let error = TractEngine::load(&onnx, 3, 64).unwrap_err().to_string();
    assert!(error.contains("[?, 3, 32, 32]") && error.contains("[1, 3, 64, 64]"), "{error}");
    assert!(TractEngine::load(&onnx, 1, SIZE).is_err());
    let graph = small_graph(2, true);
    let two = onnx::write(&graph, &pseudo_random_weights(&graph)).unwrap();
    let error = tract(&two).unwrap_err().to_string();
    assert!(error.contains("[1, 2]") && error.contains("[1, 6]"), "{error}");
    for length in (0..onnx.len()).step_by(onnx.len() / 40) {
        assert!(tract(&onnx[..length]).is_err(), "{length} of {} bytes", onnx.len());
    }
    assert!(tract(b"not a network").unwrap_err().to_string().starts_with("tract cannot load"));
}

#[test]
fn logits_are_not_taken_for_probabilities() {
    let graph = small_graph(LABEL_COUNT, false);
    let mut weights = pseudo_random_weights(&graph);
    let values = vec![5.0; LABEL_COUNT];
    weights.insert("classifier.bias", hemora_nn::Tensor { shape: vec![LABEL_COUNT], values });
    let engine = tract(&onnx::write(&graph, &weights).unwrap()).unwrap();
    let error = engine.run(&image(0)).unwrap_err();
    assert!(matches!(error, EngineError::Probability { value, .. } if value > 1.0), "{error}");
    assert!(error.to_string().contains("sigmoid"), "{error}");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let engine = tract(&small_onnx()).unwrap();
    let error = engine.run(&image(0)[1..]).unwrap_err().to_string();
    assert!(error.contains("3071") && error.contains("3072"), "{error}");
}

#[test]
fn a_missing_or_wrong_library_is_an_error_that_tells_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("libonnxruntime.so");
    std::fs::write(&wrong, "not a library").unwrap();
    for path in [folder.path().join("missing.so"), wrong] {
        let error = OrtEngine::load(&small_onnx(), 3, SIZE, Some(&path)).unwrap_err();
        assert!(matches!(error, EngineError::Library { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()), "{text}");
        assert!(text.contains("pip install onnxruntime"), "{text}");
        // Auto goes on with tract and says why.
        let loaded = load_engine(EngineKind::Auto, &small_onnx(), 3, SIZE, Some(&path)).unwrap();
        assert_eq!(loaded.engine.name(), "tract");
        assert!(loaded.note.contains(&path.display().to_string()), "{}", loaded.note);
    }
}
