//! What a model comes as: safetensors weights, an ONNX model, a bundle. The first byte chooses.
#![no_main]

use hemora_fuzz::prepare;
use hemora_model::{Bundle, ModelInfo};
use hemora_nn::{Weights, import, networks, onnx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let Some((selector, bytes)) = data.split_first() else { return };
    match selector % 4 {
        0 => {
            let _ = Weights::metadata(bytes);
            if let Ok(weights) = Weights::from_safetensors(bytes) {
                let options = networks::Options { size: 16, ..networks::Options::default() };
                let graph = networks::build("simple-nn", &options).expect("a network of ours");
                let _ = weights.check(&graph.expect("a valid network"));
            }
            let options = networks::Options { size: 16, channels: 1, ..networks::Options::default() };
            let graph = networks::build("simple-nn", &options).expect("a network of ours");
            if let Ok(imported) = import(&graph.expect("a valid network"), bytes) {
                assert!(imported.weights.iter().count() > 0);
            }
        }
        1 => {
            let _ = onnx::model_opset(bytes);
            let _ = onnx::pooled_features(bytes);
            if let Ok(Some(found)) = onnx::classifier(bytes) {
                assert_eq!(found.weight.len(), found.units * found.inputs);
            }
        }
        2 => {
            if let Ok(bundle) = Bundle::from_bytes(bytes) {
                assert!(bundle.members().len() > 0);
            }
        }
        _ => {
            if let Ok(info) = ModelInfo::from_json(bytes) {
                info.check().expect("it was checked as it was read");
                if let Some(stacking) = &info.stacking {
                    // Trees that pass end and read what is there.
                    let slices = vec![vec![[0.5; hemora_ct::LABEL_COUNT]; 3]; stacking.models];
                    assert_eq!(stacking.apply(&slices).len(), 3);
                }
            }
        }
    }
});
