//! Maps of the labels of a batch: how much of each cell a label covers, and whether that is known.

use hemora_ct::LABEL_COUNT;

use crate::warp::{SourceFromTarget, warp};

/// Largest part of a cell that may be not known in a cell that is.
const MOST_UNKNOWN: f32 = 0.01;

/// Maps of the labels of a batch, both `[batch, 6, side, side]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maps<'a> {
    /// Mean part of each cell that has the label, 0–1; 0 where that is not known.
    pub present: &'a [f32],
    /// 1 where at least 99 % of a cell is known, else 0.
    pub known: &'a [f32],
    /// Height and width of the maps, cells.
    pub side: usize,
}

/// The sizes that maps are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapShape {
    /// Height and width of the images' planes.
    pub(crate) plane: usize,
    /// Height and width of the network's input.
    pub(crate) input: usize,
    /// Pixels of the input along the side of a cell.
    pub(crate) stride: usize,
}

/// What is known of the pixels of an image: of each label that is present or not known in the image,
/// one bit a pixel of its planes.
#[derive(Clone, Copy)]
pub(crate) struct PixelLabels<'a> {
    pub(crate) present: &'a [u8],
    /// `None`: all is known.
    pub(crate) unknown: Option<&'a [u8]>,
}

/// The maps of a batch while it is made, and working memory for them.
#[derive(Debug, Default)]
pub(crate) struct MapsBuilder {
    pub(crate) present: Vec<f32>,
    pub(crate) known: Vec<f32>,
    source: Vec<[f32; 2]>,
    target: Vec<[f32; 2]>,
}

impl MapShape {
    /// Height and width of a map.
    pub(crate) fn cells(self) -> usize {
        self.input / self.stride
    }
}

impl PixelLabels<'_> {
    /// Whether label `label` is present and not known in pixel `at`, as 0 or 1.
    fn bits(self, at: usize, label: usize) -> [u8; 2] {
        let unknown = self.unknown.map_or(0, |unknown| unknown[at]);
        [self.present[at], unknown].map(|bits| bits >> label & 1)
    }
}

impl MapsBuilder {
    /// Adds the six maps of an image with these labels, of which some are known, moved as the image was.
    /// A label that it is known to be without is known to be absent everywhere, and without `pixels` any
    /// other is known nowhere. What comes from outside the image is known to be without.
    pub(crate) fn push(
        &mut self,
        shape: MapShape,
        labels: [bool; LABEL_COUNT],
        known: [bool; LABEL_COUNT],
        pixels: Option<PixelLabels<'_>>,
        warp: Option<&SourceFromTarget>,
    ) {
        let mut done: Vec<usize> = Vec::new();
        let first = self.present.len();
        let area = shape.cells().pow(2);
        for label in 0..LABEL_COUNT {
            if known[label] && !labels[label] {
                self.push_same(area, 1.0);
                continue;
            }
            let Some(pixels) = pixels else {
                self.push_same(area, 0.0);
                continue;
            };
            let all = 0..pixels.present.len();
            // `any` lies where the one subtype does, most often.
            let same = |other: &&usize| {
                all.clone().all(|at| pixels.bits(at, label) == pixels.bits(at, **other))
            };
            if let Some(other) = done.iter().find(same) {
                let from = first + other * area;
                self.present.extend_from_within(from..from + area);
                self.known.extend_from_within(from..from + area);
            } else if all.clone().all(|at| pixels.bits(at, label) == [0, 0]) {
                self.push_same(area, 1.0);
            } else {
                self.push_warped(shape, label, pixels, warp);
            }
            done.push(label);
        }
    }

    /// A map of a label that is nowhere present, and known in all cells or in none.
    fn push_same(&mut self, area: usize, known: f32) {
        self.present.resize(self.present.len() + area, 0.0);
        self.known.resize(self.known.len() + area, known);
    }

    fn push_warped(
        &mut self,
        shape: MapShape,
        label: usize,
        pixels: PixelLabels<'_>,
        from: Option<&SourceFromTarget>,
    ) {
        let MapShape { plane, input, stride } = shape;
        let Self { present, known, source, target } = self;
        source.clear();
        source.extend((0..plane * plane).map(|at| pixels.bits(at, label).map(f32::from)));
        target.resize(input * input, [0.0; 2]);
        warp(source, plane, 0.0, from.unwrap_or(&SourceFromTarget::SAME), input, target);
        let cells = shape.cells();
        for row in 0..cells {
            for column in 0..cells {
                let corner = row * stride * input + column * stride;
                let lines = (0..stride).map(|line| &target[corner + line * input..][..stride]);
                let sums = lines
                    .flatten()
                    .fold([0.0f32; 2], |sums, pixel| [sums[0] + pixel[0], sums[1] + pixel[1]]);
                let [covered, lost] = sums.map(|sum| sum / (stride * stride) as f32);
                present.push(covered.clamp(0.0, 1.0));
                known.push(if lost <= MOST_UNKNOWN { 1.0 } else { 0.0 });
            }
        }
    }

    /// Gives back the working memory.
    pub(crate) fn finish(&mut self) {
        (self.source, self.target) = (Vec::new(), Vec::new());
    }

    /// Keeps the maps of the first `images` images.
    pub(crate) fn truncate(&mut self, shape: MapShape, images: usize) {
        let values = images * LABEL_COUNT * shape.cells().pow(2);
        self.present.truncate(values);
        self.known.truncate(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: MapShape = MapShape { plane: 4, input: 4, stride: 2 };

    const POSITIVE: [bool; LABEL_COUNT] = [false, false, false, false, true, true];

    fn maps(
        labels: [bool; LABEL_COUNT],
        known: [bool; LABEL_COUNT],
        pixels: Option<PixelLabels<'_>>,
        warp: Option<&SourceFromTarget>,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut maps = MapsBuilder::default();
        maps.push(SHAPE, labels, known, pixels, warp);
        (maps.present, maps.known)
    }

    #[test]
    fn without_pixels_absent_labels_are_known_and_others_are_not() {
        let (present, known) = maps(POSITIVE, [true, true, true, false, true, true], None, None);
        assert_eq!(present, [0.0; 24]);
        assert_eq!(known, [[1.0; 4], [1.0; 4], [1.0; 4], [0.0; 4], [0.0; 4], [0.0; 4]].concat());
    }

    #[test]
    fn cells_have_the_part_that_is_covered_and_are_known_where_all_of_them_is() {
        let mut present = [0u8; 16];
        // One pixel of the first cell, all of the last.
        for at in [0, 10, 11, 14, 15] {
            present[at] = 0b11_0000;
        }
        let mut unknown = [0u8; 16];
        unknown[3] = 0b10_0000;
        let pixels = PixelLabels { present: &present, unknown: Some(&unknown) };
        let (covered, known) = maps(POSITIVE, [true; LABEL_COUNT], Some(pixels), None);
        assert_eq!(covered[..16], [0.0; 16]);
        assert_eq!(covered[16..], [0.25, 0.0, 0.0, 1.0, 0.25, 0.0, 0.0, 1.0]);
        assert_eq!(known[16..], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
        // A label that the image is known to be without is absent whatever its pixels say.
        let subdural = [false, false, false, false, true, false];
        let (_, known) = maps(subdural, [true; LABEL_COUNT], Some(pixels), None);
        assert_eq!(known, [1.0; 24]);
    }

    #[test]
    fn what_comes_from_outside_is_known_to_be_without() {
        let (present, unknown) = ([0b11_0000; 16], [0b1; 16]);
        let pixels = PixelLabels { present: &present, unknown: Some(&unknown) };
        let right = SourceFromTarget { offset: [0.5, 0.0], ..SourceFromTarget::SAME };
        let mut some = [true; LABEL_COUNT];
        some[0] = false;
        let (covered, known) = maps(POSITIVE, some, Some(pixels), Some(&right));
        assert_eq!(covered[16..20], [1.0, 0.0, 1.0, 0.0]);
        assert_eq!(known[..4], [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(known[16..], [1.0; 8]);
    }
}
