//! A network of images and one of series as one: what they predict of windows of slices.

use tch::{Kind, Tensor};

use super::network::{Mode, Model};

/// What stands before the names of the nodes of the network of series.
pub const SERIES: &str = "series/";

impl Model {
    /// Log odds `[N, 6]` of images that are windows of `slices` slices, one after the other: of the
    /// network of images alone, and of that of series, which reads each window. `positions` as of
    /// [`Model::read_features`].
    ///
    /// # Panics
    /// If there is no network of series.
    pub fn read_windows(
        &self,
        images: &Tensor,
        slices: usize,
        positions: &[f32],
        mode: Mode,
    ) -> (Tensor, Tensor) {
        let (alone, features) = self.logits_and_features(images, mode);
        let series = self.read_features(&features, slices, positions, mode);
        (alone, series)
    }

    /// Log odds `[N, 6]` that the network of series gives to windows of `slices` slices with these
    /// features `[N, features]`. `positions` are those of the slices along the normal, in units of
    /// 10 mm; a network that knows nothing of positions does not look at them.
    ///
    /// # Panics
    /// If there is no network of series.
    pub fn read_features(
        &self,
        features: &Tensor,
        slices: usize,
        positions: &[f32],
        mode: Mode,
    ) -> Tensor {
        let series = self.series().expect("a network of series was added");
        let mut values = features.to_kind(Kind::Float);
        let columns = series.graph.input_shape()[0] as i64;
        if columns > values.size()[1] {
            let positions = Tensor::from_slice(positions).unsqueeze(1).to(self.device());
            values = Tensor::cat(&[values, positions], 1);
        }
        let logits = series.logits(&values.reshape([-1, slices as i64, columns]), mode);
        logits.reshape([features.size()[0], -1])
    }

    /// The mean log odds `[slices, 6]` that the network of series gives to the slices of one series
    /// with these features `[slices, features]`, read upward and downward. `positions` are those along
    /// the normal, upward and downward.
    pub fn read_both_ways(&self, features: &Tensor, positions: [&[f32]; 2]) -> Tensor {
        let slices = features.size()[0] as usize;
        let up = self.read_features(features, slices, positions[0], Mode::Evaluate);
        let down = self.read_features(&features.flip([0]), slices, positions[1], Mode::Evaluate);
        (up + down.flip([0])) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use hemora_nn::networks::{Options, SequenceOptions, build, build_sequence};
    use tch::Device;

    use super::*;

    fn model(series: &str, columns: usize) -> Model {
        let options = Options { size: 32, head: None, ..Options::default() };
        let slices = build("resnet18", &options).unwrap().unwrap();
        let options = SequenceOptions { hidden: 8, layers: 1, ..SequenceOptions::new(columns) };
        let series = build_sequence(series, &options).unwrap().unwrap();
        let series = Model::fresh(series.prefixed(SERIES), Device::Cpu, 2);
        Model::fresh(slices, Device::Cpu, 1).with_series(series)
    }

    #[test]
    fn what_the_network_of_series_learns_reaches_the_network_of_slices() {
        let model = model("sequence-features", 512);
        let images = Tensor::rand([8, 3, 32, 32], (Kind::Float, Device::Cpu));
        let (_, series) = model.read_windows(&images, 4, &[], Mode::Train);
        assert_eq!(series.size(), [8, 6]);
        let first = model.tensor("conv1.weight");
        let loss = series.square().mean(Kind::Float);
        let gradient = &Tensor::run_backward(&[&loss], &[first], false, false)[0];
        assert!(gradient.abs().max().double_value(&[]) > 0.0);
        let names: Vec<&str> = model.trainable().map(|(it, _)| it.name.as_str()).collect();
        assert!(names.contains(&"conv1.weight") && names.contains(&"series/slice.weight"));
        assert_eq!(model.again(&model.weights()).unwrap().weights(), model.weights());
    }

    #[test]
    fn windows_are_read_alone_and_by_their_positions() {
        let model = model("sequence-transformer", 513);
        let features = Tensor::rand([6, 512], (Kind::Float, Device::Cpu));
        let near = [0.0, 0.5, 1.0, 0.0, 0.5, 1.0];
        let read = |features: &Tensor, slices, positions: &[f32]| {
            tch::no_grad(|| model.read_features(features, slices, positions, Mode::Evaluate))
        };
        let differ = |a: &Tensor, b: &Tensor| (a - b).abs().max().double_value(&[]);
        let both = read(&features, 3, &near);
        let second = read(&features.narrow(0, 3, 3), 3, &near[3..]);
        assert!(differ(&both.narrow(0, 3, 3), &second) < 1e-5);
        assert!(differ(&both, &read(&features, 6, &near)) > 1e-4);
        assert!(differ(&second, &read(&features.narrow(0, 3, 3), 3, &[0.0, 4.0, 9.0])) > 1e-4);
        // Both ways: a series upside down gives the same, upside down.
        let (up, down) = ([0.0, 0.5, 1.0], [0.0, -0.5, -1.0]);
        let three = features.narrow(0, 0, 3);
        let one = tch::no_grad(|| model.read_both_ways(&three, [&up, &down]));
        let other = tch::no_grad(|| model.read_both_ways(&three.flip([0]), [&down, &up]));
        assert!(differ(&one, &other.flip([0])) < 1e-5);
    }
}
