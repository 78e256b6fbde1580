//! What became of a slice before it was windowed, where a network was trained on a prepared set.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::resize::resize_mapped;
use crate::{Plane, Square, Window, cut_byte, resize, resize_square, whole_hu, zoom};

/// How a prepared set kept its slices: inference does the same, so that a network is shown what it
/// was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Slices of other sizes are zoomed to this height and width first, pixels; `None` leaves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvas: Option<usize>,
    /// Height and width that the slice is then sampled at, pixels; `None` leaves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// What was kept.
    pub kept: Kept,
}

/// What a prepared set keeps of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Kept {
    /// A byte a pixel and channel, its fraction cut off, as in JPEGs (whose compression is not
    /// repeated).
    Grey,
    /// Whole HU, resampled with the triangle filter; the window then gives a byte, rounded.
    Hu {
        /// Height and width of the plane in HU, pixels.
        size: usize,
    },
}

/// An image at the size of a canvas, where there is one.
pub fn on_canvas(image: &Plane, canvas: Option<usize>) -> Cow<'_, Plane> {
    match canvas {
        Some(side) if (image.rows, image.columns) != (side, side) => {
            Cow::Owned(zoom(image, side, side))
        }
        _ => Cow::Borrowed(image),
    }
}

impl Square {
    /// The square that holds all of an image, from its low corner.
    pub fn whole(image: &Plane) -> Self {
        Square { top: 0, left: 0, side: image.rows.max(image.columns) }
    }
}

impl Preparation {
    /// Whether its sizes can be used: 16 to 4096 pixels.
    pub fn is_usable(&self) -> bool {
        let kept = match self.kept {
            Kept::Grey => None,
            Kept::Hu { size } => Some(size),
        };
        [self.canvas, self.size, kept].into_iter().flatten().all(|it| (16..=4096).contains(&it))
    }

    /// Which part of an image of `rows` × `columns` pixels the kept plane shows, along the rows' axis
    /// and along the columns': the pixel at which it begins and how many it spans, where pixel 0 covers
    /// −0.5 to 0.5. Slices that are not square may be shown with a margin that repeats their border.
    pub fn extent(&self, [rows, columns]: [usize; 2]) -> [[f64; 2]; 2] {
        let whole = |length: usize| [-0.5, length as f64];
        match (self.canvas, self.size) {
            (Some(side), _) if [rows, columns] != [side; 2] => [rows, columns].map(|length| {
                // The zoom lays corner pixels onto corner pixels.
                let step = (length - 1) as f64 / (side - 1) as f64;
                [-0.5 * step, side as f64 * step]
            }),
            (_, Some(_)) => [whole(rows.max(columns)); 2],
            _ => [rows, columns].map(whole),
        }
    }

    /// The plane in HU that is kept of a slice.
    pub fn plane(&self, image: &Plane) -> Plane {
        let canvas = on_canvas(image, self.canvas);
        let sampled = match self.size {
            Some(size) => Cow::Owned(resize_square(&canvas, Square::whole(&canvas), size)),
            None => canvas,
        };
        let Kept::Hu { size } = self.kept else { return sampled.into_owned() };
        let whole = |plane: &Plane| Plane {
            values: plane.values.iter().map(|&hu| f32::from(whole_hu(hu))).collect(),
            ..*plane
        };
        whole(&resize(&whole(&sampled), size, size))
    }

    /// The values (0–1) of a plane in a window, as bytes hold them, then resampled to `size` × `size` by
    /// [`resize`](crate::resize()).
    pub fn windowed_at(&self, plane: &Plane, window: Window, size: usize) -> Plane {
        let (values, from, to) = (&plane.values, [plane.rows, plane.columns], [size; 2]);
        match self.kept {
            Kept::Grey => resize_mapped(
                values,
                from,
                to,
                #[inline(always)]
                |hu| f32::from(cut_byte(window.to_unit(hu) * 255.0)) / 255.0,
            ),
            Kept::Hu { .. } => resize_mapped(
                values,
                from,
                to,
                #[inline(always)]
                |hu| f32::from(window.to_grey(hu)) / 255.0,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_says_where_a_pixel_of_the_kept_plane_lies() {
        let (rows, columns) = (20, 33);
        // A ramp along each axis: what is kept says where it was taken.
        let ramp = |axis: usize| {
            let value = |at: usize| 100.0 * [at / columns, at % columns][axis] as f32;
            Plane { rows, columns, values: (0..rows * columns).map(value).collect() }
        };
        let grey = Preparation { canvas: None, size: None, kept: Kept::Grey };
        let prepared = [
            grey,
            Preparation { canvas: Some(64), ..grey },
            Preparation { size: Some(48), ..grey },
            Preparation { canvas: Some(64), size: Some(24), ..grey },
            Preparation { kept: Kept::Hu { size: 40 }, ..grey },
        ];
        for prepare in prepared {
            let extent = prepare.extent([rows, columns]);
            for axis in [0, 1] {
                let kept = prepare.plane(&ramp(axis));
                let sides = [kept.rows, kept.columns];
                // A place inside the image, a third of the way along.
                let at = sides.map(|side| side / 3);
                let [start, length] = extent[axis];
                let expected = start + (at[axis] as f64 + 0.5) / sides[axis] as f64 * length;
                let found = f64::from(kept.values[at[0] * kept.columns + at[1]]) / 100.0;
                assert!((found - expected).abs() < 0.05, "{prepare:?}, {axis}: {found} {expected}");
            }
        }
    }

    #[test]
    fn what_is_kept_are_bytes_or_whole_hu() {
        let ramp =
            Plane { rows: 4, columns: 4, values: (0..16).map(|at| at as f32 + 0.4).collect() };
        let hu = Preparation { canvas: None, size: None, kept: Kept::Hu { size: 4 } };
        assert_eq!(hu.plane(&ramp).values[5], 5.0);
        let grey = Preparation { kept: Kept::Grey, ..hu };
        assert_eq!(grey.plane(&ramp), ramp);
        // 5.4 of 80 HU is 17.2 of 255: the fraction goes.
        assert_eq!(grey.windowed_at(&ramp, Window::BRAIN, 4).values[5], 17.0 / 255.0);
        // 7 HU is 22.3, 8 is 25.5, which is rounded.
        assert_eq!(hu.windowed_at(&hu.plane(&ramp), Window::BRAIN, 4).values[8], 26.0 / 255.0);
        assert!(hu.canvas.is_none() && !hu.is_usable());
        assert!(Preparation { canvas: Some(512), size: Some(64), kept: Kept::Grey }.is_usable());
    }
}
