//! Sets of pixels of a square image: growing, shrinking, connected parts.

/// Some pixels of an image of `side` × `side`, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    pub(super) side: usize,
    pub(super) pixels: Vec<bool>,
}

/// Rows and columns that a mask spans: first and last of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) rows: [usize; 2],
    pub(super) columns: [usize; 2],
}

impl Mask {
    /// The pixels of an image for which `is_in` says so.
    pub(super) fn from_grey(side: usize, grey: &[u8], is_in: impl Fn(u8) -> bool) -> Self {
        Self { side, pixels: grey.iter().map(|value| is_in(*value)).collect() }
    }

    pub(super) fn from_places(side: usize, places: &[usize]) -> Self {
        let mut pixels = vec![false; side * side];
        places.iter().for_each(|place| pixels[*place] = true);
        Self { side, pixels }
    }

    /// Whether each pixel, row by row, is in it.
    pub fn pixels(&self) -> &[bool] {
        &self.pixels
    }

    pub(super) fn count(&self) -> usize {
        self.pixels.iter().filter(|pixel| **pixel).count()
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
        self.pixels.iter_mut().zip(&other.pixels).for_each(|(one, other)| *one &= other);
        self
    }

    pub(super) fn not(mut self) -> Self {
        self.pixels.iter_mut().for_each(|pixel| *pixel = !*pixel);
        self
    }

    /// With the pixels above, below, left and right of its own, so many times.
    pub(super) fn grown(mut self, times: usize) -> Self {
        let side = self.side;
        for _ in 0..times {
            let old = self.pixels.clone();
            for (place, pixel) in self.pixels.iter_mut().enumerate() {
                let (row, column) = (place / side, place % side);
                *pixel = old[place]
                    || (row > 0 && old[place - side])
                    || (row + 1 < side && old[place + side])
                    || (column > 0 && old[place - 1])
                    || (column + 1 < side && old[place + 1]);
            }
        }
        self
    }

    /// Without the pixels that have one outside beside them, so many times.
    pub(super) fn shrunk(self, times: usize) -> Self {
        self.not().grown(times).not()
    }

    /// Its connected parts, the places of each; with `diagonal`, corners connect too.
    pub(super) fn parts(&self, diagonal: bool) -> Vec<Vec<usize>> {
        let side = self.side as isize;
        let around: &[[isize; 2]] = match diagonal {
            true => &[[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [-1, 1], [1, -1], [1, 1]],
            false => &[[-1, 0], [1, 0], [0, -1], [0, 1]],
        };
        let mut left = self.pixels.clone();
        let mut parts = Vec::new();
        for start in 0..left.len() {
            if !std::mem::take(&mut left[start]) {
                continue;
            }
            let mut part = vec![start];
            let mut next = 0;
            while let Some(&place) = part.get(next) {
                next += 1;
                let (row, column) = (place as isize / side, place as isize % side);
                for [down, right] in around {
                    let (row, column) = (row + down, column + right);
                    if (0..side).contains(&row) && (0..side).contains(&column) {
                        let other = (row * side + column) as usize;
                        if std::mem::take(&mut left[other]) {
                            part.push(other);
                        }
                    }
                }
            }
            parts.push(part);
        }
        parts
    }

    /// What places span; of none a span without any rows.
    pub(super) fn span(side: usize, places: impl Iterator<Item = usize>) -> Span {
        let mut span = Span { rows: [side, 0], columns: [side, 0] };
        for place in places {
            let (row, column) = (place / side, place % side);
            span.rows = [span.rows[0].min(row), span.rows[1].max(row)];
            span.columns = [span.columns[0].min(column), span.columns[1].max(column)];
        }
        span
    }

    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.pixels.iter().enumerate().filter(|(_, pixel)| **pixel).map(|(place, _)| place)
    }
}

impl Span {
    pub(super) fn height(self) -> f64 {
        (self.rows[1] + 1).saturating_sub(self.rows[0]) as f64
    }

    pub(super) fn width(self) -> f64 {
        (self.columns[1] + 1).saturating_sub(self.columns[0]) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_grow_shrink_and_fall_into_parts() {
        let mask = Mask::from_places(5, &[6, 12, 24]);
        assert_eq!(mask.parts(true), [vec![6, 12], vec![24]]);
        assert_eq!(mask.parts(false).len(), 3);
        let grown = Mask::from_places(5, &[12]).grown(1);
        assert_eq!(grown.places().collect::<Vec<_>>(), [7, 11, 12, 13, 17]);
        assert_eq!(grown.clone().shrunk(1), Mask::from_places(5, &[12]));
        let span = Mask::span(5, grown.places());
        assert_eq!((span.rows, span.columns, span.width()), ([1, 3], [1, 3], 3.0));
    }
}
