//! The input recipe: how slices become a network's input.
//!
//! A trained network is only as good as the agreement between what it saw and what it is shown,
//! so training and inference share this one implementation, and the bundle stores the recipe.

use serde::{Deserialize, Serialize};

use crate::{Plane, Preparation, Slice, Window, resize};

/// One input channel: a window of the slice itself or of a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Window applied to the HU.
    pub window: Window,
    /// Which slice: 0 this one, −1 the one below along the slice normal, +1 the one above. At the
    /// ends of a stack the last slice is repeated.
    #[serde(default)]
    pub offset: i32,
}

/// How slices become a tensor `[channels, size, size]`: what `prepare` says, window to 0–1, resize
/// with the anti-aliased triangle filter, then (value − mean) / std per channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputRecipe {
    /// Height and width of the network's input, pixels.
    pub size: usize,
    /// The channels in order.
    pub channels: Vec<Channel>,
    /// Mean subtracted from each channel (of values 0–1).
    pub mean: Vec<f32>,
    /// Standard deviation by which each channel is divided.
    pub std: Vec<f32>,
    /// What happens before the windows, where the network was trained on a prepared set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<Preparation>,
}

/// Why a recipe cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// Input size out of bounds.
    #[error("input size {0} is not between 16 and 2048 pixels")]
    Size(usize),
    /// No channels, too many, or statistics of another length.
    #[error(
        "{channels} channels, {means} means and {stds} standard deviations: expected the same number of each, 1 to 64"
    )]
    Channels {
        /// Number of channels.
        channels: usize,
        /// Number of means.
        means: usize,
        /// Number of standard deviations.
        stds: usize,
    },
    /// A window or statistic is not usable.
    #[error(
        "channel {0} has a window width or standard deviation that is not a positive number, a mean or level that is not finite, or a neighbour more than 32 slices away"
    )]
    Values(usize),
    /// The preparation has a size out of bounds.
    #[error("the preparation has a size that is not between 16 and 4096 pixels")]
    Preparation,
}

impl InputRecipe {
    /// One window of one slice, repeated over three channels, scaled to −1…1: what an
    /// ImageNet-trained EfficientNet-Lite expects.
    pub fn grey(size: usize, window: Window) -> Self {
        Self::of(size, vec![Channel { window, offset: 0 }; 3])
    }

    /// Channels scaled to −1…1.
    pub fn of(size: usize, channels: Vec<Channel>) -> Self {
        let half = vec![0.5; channels.len()];
        Self { size, channels, mean: half.clone(), std: half, prepare: None }
    }

    /// The competition winner's three inputs (docs/references.md#winner) and what came before them,
    /// by name:
    ///
    /// - `grey`: the brain window three times;
    /// - `windows`: brain, subdural and bone (40/80, 80/200, 600/2800) of one slice;
    /// - `neighbours`: the slice below, the slice and the one above in the brain window;
    /// - `both`: these three slices in these three windows, nine channels.
    pub fn named(name: &str, size: usize) -> Option<Self> {
        let windows = [Window::BRAIN, Window::SUBDURAL, Window::BONE];
        let channels: Vec<Channel> = match name {
            "grey" => return Some(Self::grey(size, Window::BRAIN)),
            "windows" => windows.map(|window| Channel { window, offset: 0 }).to_vec(),
            "neighbours" => {
                [-1, 0, 1].map(|offset| Channel { window: Window::BRAIN, offset }).into()
            }
            "both" => windows
                .iter()
                .flat_map(|&window| [-1, 0, 1].map(|offset| Channel { window, offset }))
                .collect(),
            _ => return None,
        };
        Some(Self::of(size, channels))
    }

    /// The names that [`InputRecipe::named`] knows.
    pub const NAMES: [&str; 4] = ["grey", "windows", "neighbours", "both"];

    /// Checks values that came from a file.
    ///
    /// # Errors
    /// [`RecipeError`] names what is out of bounds.
    pub fn check(&self) -> Result<(), RecipeError> {
        if !(16..=2048).contains(&self.size) {
            return Err(RecipeError::Size(self.size));
        }
        let counts = (self.channels.len(), self.mean.len(), self.std.len());
        if counts.0 != counts.1 || counts.0 != counts.2 || !(1..=64).contains(&counts.0) {
            return Err(RecipeError::Channels {
                channels: counts.0,
                means: counts.1,
                stds: counts.2,
            });
        }
        for (index, channel) in self.channels.iter().enumerate() {
            let positive = |value: f32| value.is_finite() && value > 0.0;
            if !positive(channel.window.width)
                || !positive(self.std[index])
                || !channel.window.level.is_finite()
                || !self.mean[index].is_finite()
                || channel.offset.unsigned_abs() > 32
            {
                return Err(RecipeError::Values(index));
            }
        }
        if self.prepare.is_some_and(|prepare| !prepare.is_usable()) {
            return Err(RecipeError::Preparation);
        }
        Ok(())
    }

    /// How far the recipe reaches to either side of a slice.
    pub fn reach(&self) -> usize {
        self.channels
            .iter()
            .map(|channel| channel.offset.unsigned_abs() as usize)
            .max()
            .unwrap_or(0)
    }

    /// Which part of an image of `[rows, columns]` pixels the input shows, as [`Preparation::extent`].
    pub fn extent(&self, [rows, columns]: [usize; 2]) -> [[f64; 2]; 2] {
        match &self.prepare {
            Some(prepare) => prepare.extent([rows, columns]),
            None => [rows, columns].map(|length| [-0.5, length as f64]),
        }
    }

    /// The input for one slice, `[channels, size, size]` flattened. `neighbour(offset)` gives the
    /// slice `offset` steps along the normal, the end slice beyond the ends; it is called with 0
    /// for the slice itself.
    pub fn input<'a>(&self, neighbour: impl Fn(i32) -> &'a Slice) -> Vec<f32> {
        let area = self.size * self.size;
        let mut tensor = Vec::with_capacity(self.channels.len() * area);
        // The planes that are kept of the slices, by offset.
        let mut kept: Vec<(i32, Plane)> = Vec::new();
        for (index, channel) in self.channels.iter().enumerate() {
            // A repeated channel is the same plane under other statistics: copy, do not resize
            // again.
            let twin = (0..index).find(|&other| {
                self.channels[other] == *channel
                    && self.mean[other] == self.mean[index]
                    && self.std[other] == self.std[index]
            });
            if let Some(other) = twin {
                tensor.extend_from_within(other * area..(other + 1) * area);
            } else {
                let plane = match &self.prepare {
                    None => {
                        neighbour(channel.offset).windowed_at(channel.window, self.size, self.size)
                    }
                    Some(prepare) => {
                        let known = kept.iter().position(|(offset, _)| *offset == channel.offset);
                        let place = known.unwrap_or_else(|| {
                            let slice = neighbour(channel.offset).clone().into_plane();
                            kept.push((channel.offset, prepare.plane(&slice)));
                            kept.len() - 1
                        });
                        prepare.windowed_at(&kept[place].1, channel.window, self.size)
                    }
                };
                self.push_plane(&plane, index, &mut tensor);
            }
        }
        tensor
    }

    /// The input for an image that is already windowed to 0–1, used for every channel.
    pub fn input_from_windowed(&self, plane: &Plane) -> Vec<f32> {
        let resized = resize(plane, self.size, self.size);
        let mut tensor = Vec::with_capacity(self.channels.len() * self.size * self.size);
        for index in 0..self.channels.len() {
            self.push_plane(&resized, index, &mut tensor);
        }
        tensor
    }

    /// Adds a plane, which has the input's size, as a channel.
    fn push_plane(&self, plane: &Plane, channel: usize, tensor: &mut Vec<f32>) {
        let (mean, std) = (self.mean[channel], self.std[channel]);
        tensor.extend(plane.values.iter().map(|value| (value - mean) / std));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(hu: f32) -> Slice {
        Slice::new(20, 20, vec![hu; 400], None).unwrap()
    }

    #[test]
    fn neighbours_windows_and_statistics_reach_their_channels() {
        let recipe = InputRecipe {
            size: 16,
            channels: vec![
                Channel { window: Window::BRAIN, offset: -1 },
                Channel { window: Window::BRAIN, offset: 0 },
                Channel { window: Window::SUBDURAL, offset: 1 },
            ],
            mean: vec![0.0, 0.5, 0.0],
            std: vec![1.0, 0.5, 1.0],
            prepare: None,
        };
        recipe.check().unwrap();
        assert_eq!(recipe.reach(), 1);
        let (below, here, above) = (flat(20.0), flat(40.0), flat(80.0));
        let input = recipe.input(|offset| match offset {
            -1 => &below,
            0 => &here,
            _ => &above,
        });
        assert_eq!(input.len(), 3 * 256);
        assert!((input[0] - 0.25).abs() < 1e-6);
        assert!(input[256].abs() < 1e-6);
        assert!((input[512] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn named_recipes_have_their_channels_and_a_prepared_one_its_bytes() {
        for name in InputRecipe::NAMES {
            let recipe = InputRecipe::named(name, 32).unwrap();
            recipe.check().unwrap();
            let reach = if ["neighbours", "both"].contains(&name) { 1 } else { 0 };
            assert_eq!(recipe.reach(), reach, "{name}");
            assert_eq!(recipe.channels.len(), if name == "both" { 9 } else { 3 });
        }
        assert!(InputRecipe::named("colour", 32).is_none());
        let mut recipe = InputRecipe::named("both", 16).unwrap();
        let kept = crate::Kept::Hu { size: 20 };
        recipe.prepare = Some(Preparation { canvas: None, size: None, kept });
        let slices = [flat(20.4), flat(40.0), flat(80.0)];
        let input = recipe.input(|offset| &slices[(offset + 1) as usize]);
        // 20 of 80 HU is the byte 64.
        assert!((input[0] - (64.0 / 255.0 - 0.5) / 0.5).abs() < 1e-6, "{}", input[0]);
        recipe.prepare = Some(Preparation { canvas: Some(1 << 20), size: None, kept });
        assert_eq!(recipe.check(), Err(RecipeError::Preparation));
    }

    #[test]
    fn a_repeated_channel_equals_the_first() {
        let input = InputRecipe::grey(16, Window::BRAIN).input(|_| Box::leak(Box::new(flat(60.0))));
        assert_eq!(input[..256], input[512..]);
        assert!((input[0] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn unusable_recipes_are_refused() {
        let good = InputRecipe::grey(224, Window::BRAIN);
        assert_eq!(good.check(), Ok(()));
        let size = InputRecipe { size: 1 << 20, ..good.clone() };
        assert_eq!(size.check(), Err(RecipeError::Size(1 << 20)));
        let mut zero = good.clone();
        zero.std[1] = 0.0;
        assert_eq!(zero.check(), Err(RecipeError::Values(1)));
        let mut short = good;
        short.mean.pop();
        assert!(matches!(short.check(), Err(RecipeError::Channels { means: 2, .. })));
    }
}
