//! One slice to the bytes of its prepared image.

use std::borrow::Cow;

use hemora_ct::{
    FrequencyScale, HuCounts, Plane, Square, brain_box, cut_byte, on_canvas, resize_square,
    whole_hu, widest,
};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use super::error::PrepareError;
use super::recipe::{Crop, Output, PrepareRecipe, PrepareRecipeError, PreparedChannel};

/// A recipe that is ready to render slices.
#[derive(Debug, Clone)]
pub struct Renderer {
    recipe: PrepareRecipe,
    scale: Option<FrequencyScale>,
}

impl Renderer {
    /// A renderer of a recipe; if it needs frequency bins and has none, those of `sample` become
    /// part of [`Renderer::recipe`].
    ///
    /// # Errors
    /// [`PrepareError`] if the recipe or its bins are unusable, or that of `sample`.
    pub fn new(
        mut recipe: PrepareRecipe,
        sample: impl FnOnce() -> Result<HuCounts, PrepareError>,
    ) -> Result<Self, PrepareError> {
        recipe.check()?;
        let lacks_bins = recipe.lacks_bins();
        let scale = match &mut recipe.output {
            Output::Jpeg { bins, channels, .. } => {
                if lacks_bins {
                    *bins = sample()?.breaks();
                }
                let needed = channels.iter().any(|channel| channel.window.is_none());
                let scale = needed.then(|| FrequencyScale::new(bins.clone())).transpose();
                scale.map_err(PrepareRecipeError::from)?
            }
            Output::Hu { .. } => None,
        };
        Ok(Self { recipe, scale })
    }

    /// The recipe with all that it was resolved to.
    pub fn recipe(&self) -> &PrepareRecipe {
        &self.recipe
    }

    /// Where the part that is kept lies on the canvas; `None` keeps all of it as it is.
    fn place(&self, canvas: &Plane) -> Option<Square> {
        let whole = Square::whole(canvas);
        match self.recipe.crop {
            Crop::Brain => {
                let found = brain_box(canvas);
                Some(found.map_or(whole, |found| found.square(canvas.rows, canvas.columns)))
            }
            Crop::Whole => self.recipe.size.map(|_| whole),
        }
    }

    /// The part of a canvas that is kept, in HU, at the size of the result.
    fn kept<'a>(&self, canvas: Cow<'a, Plane>, square: Option<Square>) -> Cow<'a, Plane> {
        match square {
            Some(square) => {
                let size = self.recipe.size.unwrap_or(square.side);
                Cow::Owned(resize_square(&canvas, square, size))
            }
            None => canvas,
        }
    }

    /// The channels of a slice as bytes, `[size, size, channels]`; empty if the recipe makes no
    /// JPEG. `neighbour(offset)` gives the slice `offset` steps along the normal, the end slice
    /// beyond the ends; of it the same part is kept.
    pub fn pixels<'a>(&self, slice: &Plane, neighbour: impl Fn(i32) -> &'a Plane) -> Vec<u8> {
        let Output::Jpeg { channels, .. } = &self.recipe.output else { return Vec::new() };
        let canvas = on_canvas(slice, self.recipe.canvas);
        let square = self.place(&canvas);
        let kept = self.kept(canvas, square);
        let mut pixels = vec![0; kept.values.len() * channels.len()];
        let mut bytes = vec![0; kept.values.len()];
        for (index, channel) in channels.iter().enumerate() {
            if channel.offset == 0 {
                self.fill(channel, &kept, &mut bytes);
            } else {
                let other = on_canvas(neighbour(channel.offset), self.recipe.canvas);
                self.fill(channel, &self.kept(other, square), &mut bytes);
            }
            let places = pixels[index..].iter_mut().step_by(channels.len());
            places.zip(&bytes).for_each(|(place, byte)| *place = *byte);
        }
        pixels
    }

    /// The bytes of one channel, as many as `hu` has pixels.
    fn fill(&self, channel: &PreparedChannel, hu: &Plane, bytes: &mut [u8]) {
        widest(
            #[inline(always)]
            || {
                let pairs = bytes.iter_mut().zip(&hu.values);
                match (channel.window, &self.scale) {
                    (Some(window), _) => pairs.for_each(
                        #[inline(always)]
                        |(target, &hu)| *target = byte(window.to_unit(hu)),
                    ),
                    (None, Some(scale)) => pairs.for_each(
                        #[inline(always)]
                        |(target, &hu)| *target = byte(scale.to_unit(hu)),
                    ),
                    (None, None) => {}
                }
            },
        );
    }

    /// The JPEG file of a slice.
    ///
    /// # Errors
    /// The encoder's reason.
    pub fn jpeg<'a>(
        &self,
        slice: &Plane,
        neighbour: impl Fn(i32) -> &'a Plane,
    ) -> Result<Vec<u8>, String> {
        let Output::Jpeg { quality, subsample, channels, .. } = &self.recipe.output else {
            return Err("the recipe makes no JPEG".to_owned());
        };
        let side = self.recipe.size.and_then(|size| u16::try_from(size).ok()).unwrap_or(0);
        let pixels = self.pixels(slice, neighbour);
        let mut file = Vec::with_capacity(pixels.len() / 4);
        let mut encoder = Encoder::new(&mut file, *quality);
        let grey = channels.len() == 1;
        // Averages, as libjpeg and so Pillow does.
        encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
        encoder.set_sampling_factor(if *subsample && !grey {
            SamplingFactor::F_2_2
        } else {
            SamplingFactor::F_1_1
        });
        let colour = if grey { ColorType::Luma } else { ColorType::Rgb };
        encoder.encode(&pixels, side, side, colour).map_err(|error| error.to_string())?;
        Ok(file)
    }

    /// The part of a slice that is kept as whole HU, row by row, and its rows and columns.
    pub fn hu(&self, slice: &Plane) -> (Vec<i16>, [usize; 2]) {
        let canvas = on_canvas(slice, self.recipe.canvas);
        let square = self.place(&canvas);
        let kept = self.kept(canvas, square);
        let values = kept.values.iter().map(|&hu| whole_hu(hu)).collect();
        (values, [kept.rows, kept.columns])
    }
}

/// A value 0–1 as a byte: cut off, not rounded, as the published set was
/// (docs/references.md#slice-preparation, step 12).
#[inline(always)]
fn byte(value: f32) -> u8 {
    cut_byte(value * 255.0)
}
