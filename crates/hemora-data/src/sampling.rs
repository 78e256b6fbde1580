//! One image to one network input, with what was drawn for it applied.

use hemora_ct::{Channel, InputRecipe, Plane, Window, resize};
use rand::Rng;

use crate::augment::Drawn;
use crate::effects::{add_noise, blacken, blur, erase};
use crate::memory::InMemorySet;
use crate::warp::warp;

/// Channels that are sampled at once.
const TOGETHER: usize = 4;

/// Working memory of one thread, reused from image to image.
#[derive(Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    values: Vec<f32>,
    blurred: Vec<f32>,
    single: Sampling<1>,
    several: Sampling<TOGETHER>,
}

/// An image's pixels before and after a warp.
#[derive(Default)]
struct Sampling<const CHANNELS: usize> {
    source: Vec<[f32; CHANNELS]>,
    target: Vec<[f32; CHANNELS]>,
}

/// The pixels of one image of a set, `side²` a plane.
#[derive(Clone, Copy)]
pub(crate) enum Image<'a> {
    /// One plane of bytes after the other.
    Planes(&'a [u8]),
    /// The bytes of all planes of a pixel, then those of the next.
    Pixels { bytes: &'a [u8], planes: usize },
    /// Whole HU of a set: each channel has its own window and slice.
    Hu { set: &'a InMemorySet, index: usize },
}

/// What is made of images: the recipe, which plane each of its channels takes, and the height and
/// width of a plane.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) recipe: &'a InputRecipe,
    pub(crate) planes: &'a [usize],
    pub(crate) side: usize,
}

impl Inputs<'_> {
    /// Writes the input `[channels, size, size]` of an image to `target`. With nothing drawn the
    /// values are those of [`InputRecipe::input_from_windowed`] for the same plane.
    pub(crate) fn render(
        self,
        image: Image<'_>,
        drawn: &Drawn,
        rng: &mut impl Rng,
        scratch: &mut Scratch,
        target: &mut [f32],
    ) {
        let channels = self.different();
        let Scratch { bytes, values, blurred, single, several } = scratch;
        let image = match image {
            Image::Hu { set, index } => {
                let hu = |offset| set.neighbour_hu(index, offset);
                self.window(hu, &channels, drawn, bytes);
                Image::Planes(bytes)
            }
            image => image,
        };
        for channels in channels.chunks(TOGETHER) {
            if drawn.warp.is_some() {
                match channels {
                    &[channel] => self.warp(image, &[channel], drawn, single),
                    channels => self.warp(image, channels, drawn, several),
                }
            }
            for (place, &channel) in channels.iter().enumerate() {
                match (&drawn.warp, channels.len()) {
                    (None, _) => self.resize(image, channel, drawn, values),
                    (Some(_), 1) => copy_channel(&single.target, place, values),
                    (Some(_), _) => copy_channel(&several.target, place, values),
                }
                self.finish(values, channel, drawn, rng, blurred, target);
            }
        }
    }

    /// The first channel of each plane: channels of the same plane differ in their statistics alone,
    /// and it is sampled once.
    fn different(self) -> Vec<usize> {
        let first = |channel: &usize| !self.planes[..*channel].contains(&self.planes[*channel]);
        (0..self.planes.len()).filter(first).collect()
    }

    /// The planes of an image one after the other, as [`Inputs::render`] takes them; their windows
    /// varied as drawn.
    pub(crate) fn planes(self, image: Image<'_>, drawn: &Drawn) -> Vec<u8> {
        match image {
            Image::Planes(bytes) => bytes.to_vec(),
            Image::Pixels { bytes, planes } => {
                let plane = |plane: usize| bytes[plane..].iter().step_by(planes).copied();
                (0..planes).flat_map(plane).collect()
            }
            Image::Hu { set, index } => {
                let mut bytes = Vec::new();
                let hu = |offset| set.neighbour_hu(index, offset);
                self.window(hu, &self.different(), drawn, &mut bytes);
                bytes
            }
        }
    }

    /// The grey of HU in the windows of some channels, varied as drawn: their planes in the order of
    /// their first channels.
    fn window<'a>(
        self,
        hu: impl Fn(i32) -> &'a [i16],
        channels: &[usize],
        drawn: &Drawn,
        bytes: &mut Vec<u8>,
    ) {
        let [added, factor] = drawn.window.unwrap_or([0.0, 1.0]);
        let planes = channels.iter().map(|&channel| self.planes[channel] + 1).max().unwrap_or(0);
        let area = self.side * self.side;
        bytes.resize(planes * area, 0);
        for &channel in channels {
            let Channel { window: Window { level, width }, offset } = self.recipe.channels[channel];
            let window = Window { level: level + added, width: width * factor };
            let plane = &mut bytes[self.planes[channel] * area..][..area];
            plane
                .iter_mut()
                .zip(hu(offset))
                .for_each(|(grey, &hu)| *grey = window.to_grey(hu.into()));
        }
    }

    /// The values of some channels' planes, and what the drawn warp makes of them.
    fn warp<const CHANNELS: usize>(
        self,
        image: Image<'_>,
        channels: &[usize],
        drawn: &Drawn,
        sampling: &mut Sampling<CHANNELS>,
    ) {
        let Some(from) = &drawn.warp else { return };
        let (area, table) = (self.side * self.side, &drawn.table);
        let Sampling { source, target } = sampling;
        source.resize(area, [0.0; CHANNELS]);
        for (place, &channel) in channels.iter().enumerate() {
            let plane = self.planes[channel];
            let places = source.iter_mut().map(|pixel| &mut pixel[place]);
            let set = |(value, byte): (&mut f32, &u8)| *value = table[usize::from(*byte)];
            match image {
                Image::Planes(bytes) => places.zip(&bytes[plane * area..][..area]).for_each(set),
                Image::Pixels { bytes, planes } => {
                    places.zip(bytes[plane..].iter().step_by(planes)).for_each(set);
                }
                Image::Hu { .. } => {}
            }
        }
        let size = self.recipe.size;
        target.resize(size * size, [0.0; CHANNELS]);
        warp(source, self.side, table[0], from, size, target);
    }

    /// The values of a channel's plane at the size of the input.
    fn resize(self, image: Image<'_>, channel: usize, drawn: &Drawn, values: &mut Vec<f32>) {
        let (area, plane) = (self.side * self.side, self.planes[channel]);
        values.clear();
        let value = |byte: &u8| drawn.table[usize::from(*byte)];
        match image {
            Image::Planes(bytes) => values.extend(bytes[plane * area..][..area].iter().map(value)),
            Image::Pixels { bytes, planes } => {
                values.extend(bytes[plane..].iter().step_by(planes).map(value));
            }
            Image::Hu { .. } => {}
        }
        let size = self.recipe.size;
        if size != self.side {
            let whole =
                Plane { rows: self.side, columns: self.side, values: std::mem::take(values) };
            *values = resize(&whole, size, size).values;
        }
    }

    /// What is drawn for the values of a plane, whose first channel is given, and the values of all
    /// its channels from there.
    fn finish(
        self,
        values: &mut [f32],
        channel: usize,
        drawn: &Drawn,
        rng: &mut impl Rng,
        blurred: &mut Vec<f32>,
        target: &mut [f32],
    ) {
        let size = self.recipe.size;
        blur(values, size, drawn.blur_sigma, blurred);
        add_noise(values, drawn.noise, rng);
        if let Some(erasure) = &drawn.erase {
            erase(values, size, erasure);
        }
        if let Some(widths) = drawn.border {
            blacken(values, size, widths);
        }
        for (other, output) in target.chunks_exact_mut(size * size).enumerate() {
            let shown = if drawn.swapped { self.planes.len() - 1 - other } else { other };
            if self.planes[shown] == self.planes[channel] {
                let (mean, std) = (self.recipe.mean[other], self.recipe.std[other]);
                for (output, value) in output.iter_mut().zip(&*values) {
                    *output = (value - mean) / std;
                }
            }
        }
    }
}

fn copy_channel<const CHANNELS: usize>(
    pixels: &[[f32; CHANNELS]],
    place: usize,
    values: &mut Vec<f32>,
) {
    values.clear();
    values.extend(pixels.iter().map(|pixel| pixel[place]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Augment;
    use hemora_ct::Window;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn set(side: usize) -> InMemorySet {
        let bytes = (0..side * side).map(|at| (at * 7 % 251 + at / side) as u8).collect();
        InMemorySet::from_windowed(side, vec!["a".into()], vec![[false; 6]], bytes).unwrap()
    }

    fn input(set: &InMemorySet, recipe: &InputRecipe, augment: &Augment, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let drawn = augment.draw(&mut rng);
        let mut target = vec![f32::NAN; recipe.channels.len() * recipe.size * recipe.size];
        let planes = set.planes_for(recipe).unwrap();
        let mut scratch = Scratch::default();
        let inputs = Inputs { recipe, planes: &planes, side: set.working_size() };
        inputs.render(set.image(0), &drawn, &mut rng, &mut scratch, &mut target);
        target
    }

    fn expected(set: &InMemorySet, recipe: &InputRecipe) -> Vec<f32> {
        let side = set.working_size();
        let values = set.plane(0, 0).iter().map(|byte| f32::from(*byte) / 255.0).collect();
        recipe.input_from_windowed(&Plane { rows: side, columns: side, values })
    }

    #[test]
    fn without_augmentation_the_input_is_the_recipes() {
        let mut recipe = InputRecipe::grey(48, Window::BRAIN);
        recipe.mean = vec![0.1, 0.2, 0.3];
        recipe.std = vec![0.5, 0.25, 1.0];
        for side in [48, 64, 200] {
            let set = set(side);
            assert_eq!(input(&set, &recipe, &Augment::off(), 1), expected(&set, &recipe));
        }
    }

    #[test]
    fn swapped_channels_stand_in_the_other_order_under_their_own_statistics() {
        let mut recipe = InputRecipe::grey(48, Window::BRAIN);
        recipe.mean = vec![0.1, 0.2, 0.3];
        let mut set = set(48);
        let plane = set.plane(0, 0).to_vec();
        let bytes = [plane.clone(), vec![51; 48 * 48], vec![255; 48 * 48]].concat();
        set.pixels = crate::memory::Pixels::Windowed { planes: 3, bytes };
        let swap = Augment { swap_channels: 1.0, ..Augment::off() };
        let swapped = input(&set, &recipe, &swap, 1);
        let near = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}");
        near(swapped[0], (1.0 - 0.1) / 0.5);
        near(swapped[48 * 48], (0.2 - 0.2) / 0.5);
        near(swapped[2 * 48 * 48 + 7], (f32::from(plane[7]) / 255.0 - 0.3) / 0.5);
    }

    #[test]
    fn a_warp_that_hardly_moves_agrees_with_the_recipe() {
        let recipe = InputRecipe::grey(64, Window::BRAIN);
        let set = set(64);
        let augment = Augment { shift: 1e-7, ..Augment::off() };
        let warped = input(&set, &recipe, &augment, 1);
        for (value, expected) in warped.iter().zip(expected(&set, &recipe)) {
            assert!((value - expected).abs() < 1e-3, "{value} {expected}");
        }
    }
}
