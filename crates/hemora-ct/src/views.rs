//! Test-time augmentation: the views of one input whose probabilities are averaged.

use serde::{Deserialize, Serialize};

use crate::{Plane, resize};

/// Which views of an input a network is asked about.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Views {
    /// The input alone.
    #[default]
    One,
    /// It and its mirror image, left to right.
    Flip,
    /// As many as the competition's winner took (docs/references.md#winner), who drew them: whole
    /// and cut to each of its four corners, both ways round. Always the same, so that a result can
    /// be had again.
    Ten,
}

/// One view of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Whether it is a mirror image, left to right.
    pub flip: bool,
    /// The corner it is cut to and enlarged from: whether at the bottom, whether at the right.
    pub corner: Option<[bool; 2]>,
}

/// Side of a view that is cut out, as a part of the input's.
const PART: f64 = 0.9;

impl Views {
    /// The names, as flags have them.
    pub const NAMES: [&str; 3] = ["one", "flip", "ten"];

    /// Views by name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::One, Self::Flip, Self::Ten].into_iter().find(|views| views.name() == name)
    }

    /// Its name among [`Views::NAMES`].
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Whether there is only the input itself.
    pub fn is_one(&self) -> bool {
        *self == Self::One
    }

    /// All views, the input itself first.
    pub fn all(self) -> Vec<View> {
        let corners: &[Option<[bool; 2]>] = match self {
            Self::One | Self::Flip => &[None],
            Self::Ten => &[
                None,
                Some([false, false]),
                Some([false, true]),
                Some([true, false]),
                Some([true, true]),
            ],
        };
        let flips: &[bool] = if self == Self::One { &[false] } else { &[false, true] };
        let of = |&corner: &Option<[bool; 2]>| flips.iter().map(move |&flip| View { flip, corner });
        corners.iter().flat_map(of).collect()
    }
}

impl View {
    /// First row, first column, and rows and columns of what is shown of an input of `size` pixels.
    pub fn square(self, size: usize) -> [usize; 3] {
        let Some([bottom, right]) = self.corner else { return [0, 0, size] };
        let side = (PART * size as f64).round() as usize;
        let at = |end: bool| if end { size - side } else { 0 };
        [at(bottom), at(right), side]
    }

    /// The view of an input `[channels, size, size]`.
    ///
    /// # Panics
    /// If the input is no whole number of such planes.
    pub fn of(self, input: &[f32], size: usize) -> Vec<f32> {
        let [top, left, side] = self.square(size);
        let mut view = Vec::with_capacity(input.len());
        for plane in input.chunks_exact(size * size) {
            let rows = plane.chunks_exact(size).skip(top).take(side);
            let values = rows.flat_map(|row| row[left..left + side].iter().copied()).collect();
            // Enlarging, the triangle filter is bilinear.
            let shown = resize(&Plane { rows: side, columns: side, values }, size, size);
            for row in shown.values.chunks_exact(size) {
                match self.flip {
                    true => view.extend(row.iter().rev()),
                    false => view.extend_from_slice(row),
                }
            }
        }
        assert_eq!(view.len(), input.len(), "whole planes");
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_mirror_images_and_corners_of_the_input() {
        let input: Vec<f32> = (0..2 * 400).map(|at| at as f32).collect();
        assert_eq!(Views::One.all().len(), 1);
        assert_eq!(Views::One.all()[0].of(&input, 20), input);
        let flip = Views::Flip.all();
        assert_eq!(flip.len(), 2);
        let mirrored = flip[1].of(&input, 20);
        assert_eq!((mirrored[0], mirrored[19], mirrored[400]), (19.0, 0.0, 419.0));
        assert_eq!(flip[1].of(&mirrored, 20), input);
        let ten = Views::Ten.all();
        assert_eq!(ten.len(), 10);
        let corner = View { flip: false, corner: Some([true, false]) };
        assert_eq!(corner.square(20), [2, 0, 18]);
        let cut = corner.of(&input, 20);
        // The first row of the corner is the third of the input, the last ones are the same.
        assert_eq!((cut[0], cut[19 * 20]), (40.0, 380.0));
        for (place, view) in ten.iter().enumerate() {
            assert!(!ten[..place].contains(view));
        }
    }

    #[test]
    fn views_have_names() {
        for name in Views::NAMES {
            let views = Views::named(name).unwrap();
            assert_eq!((views.name(), format!("{views:?}").to_lowercase().as_str()), (name, name));
        }
        assert_eq!((Views::named("two"), Views::default().is_one()), (None, true));
    }
}
