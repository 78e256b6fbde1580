//! A picture in colour on which boxes, words and lines are drawn.

use super::font::Font;

pub(super) type Colour = [u8; 3];

pub(super) const BLACK: Colour = [0, 0, 0];
pub(super) const WHITE: Colour = [255, 255, 255];
pub(super) const GREY: Colour = [176, 182, 190];

/// Where a text stands against its `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    Centre,
}

/// A box in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) wide: usize,
    pub(super) tall: usize,
}

/// Pixels, red, green and blue row by row. What is drawn beyond its edges is left out.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    rows: usize,
    columns: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// A black one.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, rgb: vec![0; rows * columns * 3] }
    }

    pub(super) fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// Lays `colour` over a pixel, `opacity` 0–1.
    pub(super) fn blend(&mut self, x: usize, y: usize, colour: Colour, opacity: f32) {
        if x >= self.columns || y >= self.rows {
            return;
        }
        let at = (y * self.columns + x) * 3;
        for (below, above) in self.rgb[at..at + 3].iter_mut().zip(colour) {
            let mixed = f32::from(*below) + opacity * (f32::from(above) - f32::from(*below));
            *below = mixed.round() as u8;
        }
    }

    pub(super) fn fill(&mut self, area: Area, colour: Colour) {
        for y in area.y..(area.y + area.tall).min(self.rows) {
            for x in area.x..(area.x + area.wide).min(self.columns) {
                self.blend(x, y, colour, 1.0);
            }
        }
    }

    /// Writes `text` with its line's upper edge at `y`, and returns its width.
    pub(super) fn write(
        &mut self,
        [x, y]: [usize; 2],
        align: Align,
        font: Font,
        colour: Colour,
        text: &str,
    ) -> usize {
        let width = font.width(text);
        let left = match align {
            Align::Left => x,
            Align::Right => x.saturating_sub(width),
            Align::Centre => x.saturating_sub(width / 2),
        };
        let mut at = left;
        for letter in text.chars().filter_map(|letter| font.letter(letter)) {
            for (row, pixels) in letter.rows().enumerate() {
                for (column, &pixel) in pixels.iter().enumerate() {
                    self.blend(at + column, y + row, colour, f32::from(pixel) / 255.0);
                }
            }
            at += letter.width();
        }
        width
    }

    /// Writes white letters with a dark edge, which are read on any picture.
    pub(super) fn mark(&mut self, [x, y]: [usize; 2], align: Align, font: Font, text: &str) {
        for (right, down) in [(0, 0), (2, 0), (0, 2), (2, 2), (1, 0), (0, 1), (2, 1), (1, 2)] {
            let at = [(x + right).saturating_sub(1), (y + down).saturating_sub(1)];
            self.write(at, align, font, BLACK, text);
        }
        self.write([x, y], align, font, WHITE, text);
    }

    /// Draws pieces of a line, from `[x, y]` to `[x, y]` within `area`, as thick as `thickness`.
    pub(super) fn lines(
        &mut self,
        area: Area,
        pieces: &[[[f64; 2]; 2]],
        thickness: f64,
        colour: Colour,
        opacity: f32,
    ) {
        // The cover of each pixel first, so that pieces that meet are not laid over one another.
        let mut cover = vec![0f32; area.wide * area.tall];
        for piece in pieces {
            let reach = thickness / 2.0 + 1.0;
            let bounds = |axis: usize, limit: usize| {
                let [a, b] = [piece[0][axis], piece[1][axis]];
                let first = (a.min(b) - reach).floor().max(0.0) as usize;
                first..((a.max(b) + reach).ceil().max(0.0) as usize).min(limit)
            };
            for y in bounds(1, area.tall) {
                for x in bounds(0, area.wide) {
                    let distance = distance([x as f64 + 0.5, y as f64 + 0.5], *piece);
                    let covered = (thickness / 2.0 + 0.5 - distance).clamp(0.0, 1.0) as f32;
                    let pixel = &mut cover[y * area.wide + x];
                    *pixel = pixel.max(covered);
                }
            }
        }
        for (index, covered) in cover.into_iter().enumerate().filter(|(_, covered)| *covered > 0.0)
        {
            let (x, y) = (area.x + index % area.wide, area.y + index / area.wide);
            self.blend(x, y, colour, covered * opacity);
        }
    }
}

/// Distance of a point from a piece of a line.
fn distance(point: [f64; 2], [from, to]: [[f64; 2]; 2]) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let offset = [point[0] - from[0], point[1] - from[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let part = match length {
        0.0 => 0.0,
        length => ((offset[0] * along[0] + offset[1] * along[1]) / length).clamp(0.0, 1.0),
    };
    let [right, down] = [offset[0] - part * along[0], offset[1] - part * along[1]];
    (right * right + down * down).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_the_edge_is_left_out() {
        let mut canvas = Canvas::new(4, 6);
        canvas.fill(Area { x: 4, y: 2, wide: 90, tall: 90 }, WHITE);
        canvas.write([5, 3], Align::Left, Font::PLAIN, WHITE, "XX");
        let whole = Area { x: 0, y: 0, wide: 6, tall: 4 };
        canvas.lines(whole, &[[[-50.0, 0.5], [50.0, 0.5]]], 1.0, GREY, 1.0);
        let rgb = canvas.into_rgb();
        assert_eq!(rgb.len(), 72);
        assert_eq!(rgb[..18], GREY.repeat(6));
        assert_eq!(rgb[18..36], [0; 18]);
        assert_eq!(rgb[36..54], [vec![0; 12], vec![255; 6]].concat());
    }

    #[test]
    fn words_are_as_wide_as_said() {
        let lit = |align| {
            let mut canvas = Canvas::new(20, 100);
            canvas.write([50, 0], align, Font::BOLD, WHITE, "MM");
            let rgb = canvas.into_rgb();
            let is_lit = |x: &usize| (0..20).any(|y| rgb[(y * 100 + x) * 3] > 0);
            let columns: Vec<usize> = (0..100).filter(is_lit).collect();
            [columns[0], columns[columns.len() - 1]]
        };
        let width = Font::BOLD.width("MM");
        let [left, right] = lit(Align::Left);
        assert!(left >= 50 && right < 50 + width);
        let [left, right] = lit(Align::Right);
        assert!(left >= 50 - width && right < 50);
        let [left, right] = lit(Align::Centre);
        assert!(left >= 50 - width / 2 && right < 50 + width / 2 + 1);
    }
}
