//! What a network predicts of images in several views, averaged.

use hemora_ct::{View, Views};
use tch::{Kind, Tensor};

use crate::model::{Mode, Model};

/// A view of images `[N, C, size, size]`.
fn view_of(view: View, images: &Tensor, size: usize) -> Tensor {
    let [top, left, side] = view.square(size).map(|pixels| pixels as i64);
    let mut shown = images.narrow(2, top, side).narrow(3, left, side);
    if side != size as i64 {
        let size = [size as i64, size as i64];
        shown = shown.upsample_bilinear2d(size, false, None::<f64>, None::<f64>);
    }
    if view.flip { shown.flip([3]) } else { shown }
}

/// The mean probabilities `[N, 6]` and features `[N, features]` over views.
pub fn probabilities_and_features(
    model: &Model,
    images: &Tensor,
    views: Views,
) -> (Tensor, Tensor) {
    let size = model.graph().input_shape()[1];
    let views = views.all();
    let mut sums: Option<(Tensor, Tensor)> = None;
    for view in &views {
        let (logits, features) =
            model.logits_and_features(&view_of(*view, images, size), Mode::Evaluate);
        let more = (logits.sigmoid().to_kind(Kind::Float), features.to_kind(Kind::Float));
        sums = Some(match sums {
            None => more,
            Some((probabilities, features)) => (probabilities + more.0, features + more.1),
        });
    }
    let (probabilities, features) = sums.expect("there is a view");
    (probabilities / views.len() as f64, features / views.len() as f64)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::model::{Task, to_host};

    #[test]
    fn views_of_tensors_are_those_of_the_recipe() {
        let size = 24;
        let values: Vec<f32> = (0..2 * 3 * size * size).map(|at| (at % 97) as f32 / 97.0).collect();
        let images = Tensor::from_slice(&values).reshape([2, 3, size as i64, size as i64]);
        for view in Views::Ten.all() {
            let found = to_host(&view_of(view, &images, size)).values;
            let image = 3 * size * size;
            for (number, input) in values.chunks_exact(image).enumerate() {
                for (found, expected) in found[number * image..].iter().zip(view.of(input, size)) {
                    assert!((found - expected).abs() < 1e-5, "{view:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn features_are_what_the_last_layer_reads() {
        let graph = Task::Labels.graph("efficientnet-lite0", [3, 32], 0.5).unwrap().unwrap();
        let model = Model::fresh(graph, Device::Cpu, 3);
        let images = Tensor::rand([2, 3, 32, 32], (Kind::Float, Device::Cpu));
        let (logits, features) = model.logits_and_features(&images, Mode::Evaluate);
        assert_eq!(features.size(), [2, 1280]);
        let head = &model.graph().node(model.graph().classifier()).name;
        let parameter = |suffix: &str| model.tensor(&format!("{head}.{suffix}"));
        let again = features.linear(parameter("weight"), Some(parameter("bias")));
        assert!((logits - again).abs().max().double_value(&[]) < 1e-5);
        // Two views of a symmetric image are one.
        let (one, _) = probabilities_and_features(&model, &images, Views::One);
        let symmetric = (&images + images.flip([3])) / 2.0;
        let (flip, _) = probabilities_and_features(&model, &symmetric, Views::Flip);
        let (plain, _) = probabilities_and_features(&model, &symmetric, Views::One);
        assert!((flip - plain).abs().max().double_value(&[]) < 1e-5);
        assert_eq!(one.size(), [2, 6]);
    }
}
