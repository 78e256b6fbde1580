//! The networks agree with timm and Keras on the same weights: outputs, losses, gradients, running
//! statistics. The figures come from tools/parity_fixtures.py; its formulas are repeated here.

use hemora_nn::networks::{Head, Options, build};
use hemora_nn::{Graph, GraphBuilder, Init, Op, Tensor as Values, Weights};
use hemora_testing::formula::{fixture, formula_weights, image_values, numbers};
use hemora_train::optim::{Optimizer, Preset};
use hemora_train::{Loss, LossOptions, Mode, Model, Precision, Task, to_host};
use serde_json::Value;
use tch::{Device, Kind, Reduction, Tensor};

fn images(count: usize, size: usize) -> Tensor {
    images_from(0, count, size)
}

fn images_from(first: usize, count: usize, size: usize) -> Tensor {
    let side = size as i64;
    let values = image_values(first + count, size);
    let skipped = first * 3 * size * size;
    Tensor::from_slice(&values[skipped..]).reshape([count as i64, 3, side, side])
}

/// Largest difference, relative to the largest expected value.
fn deviation(found: &Tensor, expected: &Value) -> f64 {
    let (found, expected) = (to_host(found).values, numbers(expected));
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-12, |largest: f64, value| largest.max(value.abs()));
    found
        .iter()
        .zip(&expected)
        .map(|(found, expected)| (f64::from(*found) - expected).abs() / largest)
        .fold(0.0, f64::max)
}

/// The model, whose outputs in evaluation are the truth's.
fn evaluated(truth: &Value, graph: Graph, weights: &Weights) -> Model {
    let name = graph.name().to_owned();
    let [_, size, _] = graph.input_shape();
    let count = truth["eval"]["batch"].as_u64().unwrap() as usize;
    let model = Model::with_weights(graph, weights, Device::Cpu).unwrap();
    let logits = tch::no_grad(|| model.logits(&images(count, size), Mode::Evaluate));
    let off = deviation(&logits, &truth["eval"]["logits"]);
    assert!(off < 1e-4, "{name}: outputs differ by {off}");
    model
}

fn compare(
    truth: &Value,
    graph: Graph,
    weights: &Weights,
    loss: impl Fn(&Tensor, &Tensor) -> Tensor,
) {
    let single = evaluated(truth, graph.clone(), weights);
    let model = Model::with_weights(graph, weights, Device::Cpu).unwrap();
    // As the truth was computed: what is left is not rounding.
    let model = model.computing_in(Precision::F64);
    let name = model.graph().name();
    let [_, size, _] = model.graph().input_shape();
    let count = truth["train"]["batch"].as_u64().unwrap() as usize;

    let targets: Vec<i64> =
        numbers(&truth["train"]["targets"]).into_iter().map(|target| target as i64).collect();
    let targets = Tensor::from_slice(&targets);
    let expected = truth["train"]["loss"].as_f64().unwrap();
    let of = |model: &Model, kind| {
        let logits = model.logits(&images(count, size).to_kind(kind), Mode::Train);
        loss(&logits, &targets)
    };
    let off = |loss: &Tensor| (loss.double_value(&[]) - expected).abs() / expected;
    let rounding = truth["float32_deviation"]["loss"].as_f64().unwrap();
    let found = tch::no_grad(|| off(&of(&single, Kind::Float)));
    assert!(found < 1e-4f64.max(2.0 * rounding), "{name}: losses differ by {found} in 32 bits");
    let loss = of(&model, Kind::Double);
    assert!(off(&loss) < 1e-7, "{name}: losses differ by {}", off(&loss));

    let (parameters, tensors): (Vec<_>, Vec<_>) = model.trainable().unzip();
    let gradients = Tensor::run_backward(&[&loss], &tensors, false, false);
    let norms = &truth["train"]["gradient_norms"];
    assert_eq!(norms.as_object().unwrap().len(), parameters.len(), "{name}");
    let largest = norms.as_object().unwrap().values().filter_map(Value::as_f64).fold(0.0, f64::max);
    let mut most = 0f64;
    for (parameter, gradient) in parameters.iter().zip(&gradients) {
        let expected = norms[&parameter.name].as_f64().unwrap();
        let found = gradient.norm().double_value(&[]);
        // Where the exact gradient cancels to 0, rounding leaves something small.
        let off =
            if expected == 0.0 { found / largest } else { (found - expected).abs() / expected };
        assert!(off < 1e-6, "{name} {}: {found} is not {expected}", parameter.name);
        most = most.max(off);
    }
    println!("{name}: gradient norms differ by {most:.1e} at most");
    for (tensor, expected) in truth["train"]["running"].as_object().unwrap() {
        let first = model.tensor(tensor).slice(0, 0, numbers(expected).len() as i64, 1);
        let off = deviation(&first, expected);
        assert!(off < 1e-6, "{name} {tensor}: running statistics differ by {off}");
    }
}

fn graph(name: &str, truth: &Value, head: Head) -> Graph {
    let size = truth["image_size"].as_u64().unwrap() as usize;
    build(name, &Options { size, head: Some(head), ..Options::default() }).unwrap().unwrap()
}

fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Tensor {
    logits.cross_entropy_for_logits(targets)
}

fn binary_cross_entropy(logits: &Tensor, targets: &Tensor) -> Tensor {
    let targets = targets.to_kind(logits.kind()).view(-1);
    logits.view(-1).binary_cross_entropy_with_logits::<Tensor>(
        &targets,
        None,
        None,
        Reduction::Mean,
    )
}

fn is_timms(name: &str, file: &str) {
    let truth = fixture(file);
    let units = truth["eval"]["logits"][0].as_array().unwrap().len();
    let graph = graph(name, &truth, Head::Linear(units));
    let weights = formula_weights(&graph);
    compare(&truth, graph, &weights, cross_entropy);
}

#[test]
fn efficientnet_lites_are_timms() {
    is_timms("efficientnet-lite0", "parity_lite0_formula.json");
    is_timms("efficientnet-lite1", "parity_lite1.json");
    is_timms("efficientnet-lite2", "parity_lite2.json");
}

#[test]
fn resnets_are_timms() {
    is_timms("resnet18", "parity_resnet18.json");
    is_timms("resnet34", "parity_resnet34.json");
}

#[test]
fn densenets_are_timms() {
    is_timms("densenet121", "parity_densenet121.json");
    is_timms("densenet169", "parity_densenet169.json");
}

#[test]
fn se_resnexts_are_timms() {
    is_timms("se-resnext101-32x4d", "parity_seresnext101.json");
    is_timms("se-resnext101-32x4d-cadene", "parity_seresnext101_cadene.json");
}

#[test]
fn convnexts_are_timms() {
    is_timms("convnext-nano", "parity_convnext_nano.json");
    is_timms("convnext-tiny", "parity_convnext_tiny.json");
}

#[test]
fn efficientnet_lite0_with_imagenet_weights_is_timms() {
    let Some(path) = hemora_testing::shared("weights/efficientnet_lite0_imagenet.safetensors")
    else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let truth = fixture("parity_lite0_imagenet.json");
    let graph = graph("efficientnet-lite0", &truth, Head::Linear(1000));
    compare(&truth, graph, &Weights::from_safetensors(&bytes).unwrap(), cross_entropy);
}

#[test]
fn resnet50_is_keras() {
    let truth = fixture("parity_resnet50.json");
    let graph = graph("resnet50", &truth, Head::Softmax(2));
    let weights = formula_weights(&graph);
    compare(&truth, graph, &weights, cross_entropy);
}

#[test]
fn the_small_networks_are_keras() {
    for (name, file) in
        [("simple-nn", "parity_simple_nn.json"), ("deep-cnn", "parity_deep_cnn.json")]
    {
        let truth = fixture(file);
        let graph = graph(name, &truth, Head::Sigmoid(1));
        let weights = formula_weights(&graph);
        compare(&truth, graph, &weights, binary_cross_entropy);
    }
}

/// The losses of five steps of four images each, and of the first batch after them
/// (tools/parity_steps.py).
fn six_losses(
    name: &str,
    head: Head,
    truth: &Value,
    preset: Preset,
    precision: Precision,
) -> Vec<f64> {
    let graph = graph(name, truth, head);
    let weights = formula_weights(&graph);
    let model = Model::with_weights(graph, &weights, Device::Cpu).unwrap().computing_in(precision);
    let size = truth["image_size"].as_u64().unwrap() as usize;
    let options = preset.options();
    let mut optimizer = Optimizer::new(options);
    let loss = Loss::new(Task::Any, &LossOptions::default(), Device::Cpu);
    let step = |step: usize| {
        let batch = step % 5;
        let mut targets = [0f32, 1.0, 1.0, 0.0];
        targets.rotate_right(batch % 4);
        let images = images_from(4 * batch, 4, size).to_kind(precision.kind());
        let scores = Task::Any.scores(model.logits(&images, Mode::Train));
        let loss = loss.mean(&scores, &Tensor::from_slice(&targets).reshape([4, 1]));
        optimizer.step(&model, &model.gradients(&loss), options.learning_rate);
        loss.double_value(&[])
    };
    (0..6).map(step).collect()
}

#[test]
fn losses_over_five_adadelta_steps_are_keras() {
    for (name, file, head) in [
        ("simple-nn", "steps_simple_nn.json", Head::Sigmoid(1)),
        ("deep-cnn", "steps_deep_cnn.json", Head::Sigmoid(1)),
        ("resnet50", "steps_resnet50.json", Head::Softmax(2)),
    ] {
        let truth = fixture(file);
        for (key, preset) in [
            ("adadelta-keras", Preset::AdadeltaKeras),
            ("adadelta-tf-keras", Preset::AdadeltaTfKeras),
        ] {
            // The ResNet's losses over batches of four follow the rounding: at a rate of 1 Keras in
            // 32 bits is a tenth away from Keras in 64.
            let chaotic = name == "resnet50";
            let precision = if chaotic { Precision::F64 } else { Precision::F32 };
            let found = six_losses(name, head, &truth, preset, precision);
            let expected = numbers(&truth[key]["float64"]);
            assert_eq!(found.len(), expected.len());
            for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let off = (found - expected).abs();
                println!("{name} {key} step {step}: off by {off:.1e}");
                assert!(off < 1e-3, "{name} {key} step {step}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn optimizers_move_weights_as_the_libraries_they_are_named_for() {
    let truth = fixture("optimizers.json");
    for (name, expected) in truth["optimizers"].as_object().unwrap() {
        let preset = <Preset as clap::ValueEnum>::from_str(name, false).unwrap();
        let options = preset.options();
        assert_eq!(options.learning_rate, expected["rate"].as_f64().unwrap(), "{name}");
        let (mut builder, input) = GraphBuilder::new("two weights", [1, 1, 2]).unwrap();
        let flat = builder.add("flat", Op::Flatten, &[input]).unwrap();
        builder.linear("last", flat, 1, Init::GlorotUniform).unwrap();
        let graph = builder.finish();
        let mut weights = Weights::default();
        weights.insert("last.weight", Values { shape: vec![1, 2], values: vec![1.0, -2.0] });
        weights.insert("last.bias", Values { shape: vec![1], values: vec![0.0] });
        let model = Model::with_weights(graph, &weights, Device::Cpu).unwrap();
        let mut optimizer = Optimizer::new(options);
        for step in 1..=5 {
            let angle = f64::from(step);
            let gradient = [angle.sin() as f32, 0.1 * angle.cos() as f32];
            let gradients =
                [Tensor::from_slice(&gradient).reshape([1, 2]), Tensor::from_slice(&[0f32])];
            optimizer.step(&model, &gradients, options.learning_rate);
        }
        let found = to_host(model.tensor("last.weight")).values;
        for (found, expected) in found.iter().zip(numbers(&expected["weights"])) {
            // Three roundings of a number near 2.
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{name}: {found} {expected}");
        }
    }
}
