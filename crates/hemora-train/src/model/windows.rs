//! A network of images and one of series as one: what is said of windows of slices.

use tch::{Kind, Tensor};

use super::network::{Mode, Model};

/// What stands before the names of the nodes of the network of series.
pub const SERIES: &str = "series/";

impl Model {
    /// Log odds `[N, 6]` of images that are windows of `slices` slices, one after the other: of the
    /// network of images alone, and of that of series, which reads each window. `places` as of
    /// [`Model::read_features`].
    ///
    /// # Panics
    /// If there is no network of series.
    pub fn read_windows(
        &self,
        images: &Tensor,
        slices: usize,
        places: &[f32],
        mode: Mode,
    ) -> (Tensor, Tensor) {
        let (alone, features) = self.logits_and_features(images, mode);
        let series = self.read_features(&features, slices, places, mode);
        (alone, series)
    }

    /// Log odds `[N, 6]` that the network of series gives to windows of `slices` slices with these
    /// features `[N, features]`. `places` are those of the slices along the normal, in units of
    /// 10 mm; a network that knows nothing of places does not look at them.
    ///
    /// # Panics
    /// If there is no network of series.
    pub fn read_features(
        &self,
        features: &Tensor,
        slices: usize,
        places: &[f32],
        mode: Mode,
    ) -> Tensor {
        let series = self.series().expect("a network of series was added");
        let mut values = features.to_kind(Kind::Float);
        let columns = series.graph.input_shape()[0] as i64;
        if columns > values.size()[1] {
            let places = Tensor::from_slice(places).unsqueeze(1).to(self.device());
            values = Tensor::cat(&[values, places], 1);
        }
        let logits = series.logits(&values.reshape([-1, slices as i64, columns]), mode);
        logits.reshape([features.size()[0], -1])
    }

    /// The mean log odds `[slices, 6]` that the network of series gives to the slices of one series
    /// with these features `[slices, features]`, read upward and downward. `places` are those along
    /// the normal, upward and downward.
    pub fn read_both_ways(&self, features: &Tensor, places: [&[f32]; 2]) -> Tensor {
        let slices = features.size()[0] as usize;
        let up = self.read_features(features, slices, places[0], Mode::Evaluate);
        let down = self.read_features(&features.flip([0]), slices, places[1], Mode::Evaluate);
        (up + down.flip([0])) / 2.0
    }
}
