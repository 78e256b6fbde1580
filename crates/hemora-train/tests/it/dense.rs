//! Networks with a dense head: libtorch and the built-in engine give the same, and they learn from
//! annotations.

use hemora_infer::{Engine, TractEngine};
use hemora_nn::networks::{Options, build};
use hemora_nn::onnx;
use hemora_testing::formula::{formula_weights, image_values};
use hemora_train::{Layout, Mode, Model, to_host};
use tch::{Device, Tensor};

#[test]
fn libtorch_and_tract_give_the_same_maps() {
    // 72 is no multiple of 16: the coarser maps end beyond the finer ones.
    let size = 72;
    let options = Options { size, ..Options::default() };
    let graph = build("efficientnet-lite0-dense", &options).unwrap().unwrap();
    let weights = formula_weights(&graph);
    let image = image_values(1, size);
    let engine = TractEngine::load(&onnx::write(&graph, &weights).unwrap(), 3, size).unwrap();
    let output = engine.run(&image).unwrap();
    let maps = output.maps.unwrap();
    let side = size as i64;
    let images = Tensor::from_slice(&image).reshape([1, 3, side, side]);
    for layout in [Layout::Planar, Layout::ChannelsLast] {
        let model = Model::with_weights(graph.clone(), &weights, Device::Cpu).unwrap();
        let model = model.laid_out(layout);
        let logits = tch::no_grad(|| model.dense(&images, Mode::Evaluate)).unwrap();
        let found = to_host(&logits.maps.sigmoid());
        assert_eq!(found.shape, [1, 6, 9, 9]);
        for (found, expected) in found.values.iter().zip(&maps.values) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
        let both = (&logits.of_maps + &logits.of_features) / 2.0;
        let whole = tch::no_grad(|| model.logits(&images, Mode::Evaluate));
        for logits in [both, whole] {
            for (found, expected) in
                to_host(&logits.sigmoid()).values.iter().zip(output.probabilities)
            {
                assert!((found - expected).abs() < 1e-4, "{found} {expected}");
            }
        }
    }
    let plain = build("efficientnet-lite0", &options).unwrap().unwrap();
    let plain = Model::fresh(plain, Device::Cpu, 0);
    assert!(tch::no_grad(|| plain.dense(&images, Mode::Evaluate)).is_none());
}
