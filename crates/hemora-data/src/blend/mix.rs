//! A bleed put into another slice: where it comes to lie, and how much of it each pixel takes.

use hemora_ct::Label;

use super::mask::{Mask, Span};
use super::options::Blend;
use super::region::{bleed, inside, scaled};

/// Most that one head may be larger than the other, in height, width and area.
const ALIKE: f64 = 1.3;
/// Least part of the bleed that must come to lie inside the other skull.
const LEAST_INSIDE: f64 = 0.85;

/// A slice in the brain window with the inside of its skull.
#[derive(Debug, Clone)]
pub struct Head {
    side: usize,
    grey: Vec<u8>,
    inside: Mask,
    span: Span,
}

impl Head {
    /// A slice of `side` × `side` pixels in the brain window, 8-bit grey; `None` if its skull is not
    /// closed.
    pub fn new(grey: Vec<u8>, side: usize) -> Option<Self> {
        let inside = inside(&grey, side)?;
        let span = Mask::span(side, inside.places());
        Some(Self { side, grey, inside, span })
    }

    /// Where its bleed of a kind lies, if one is found.
    pub fn bleed(&self, kind: Label, options: &Blend) -> Option<Mask> {
        bleed(&self.grey, self.side, &self.inside, kind, options)
    }

    /// The inside of its skull.
    pub fn inside(&self) -> &Mask {
        &self.inside
    }

    /// How `bleed`, of the head `donor`, comes to lie in this one: at the same place between the
    /// skull's sides, front and back. `None` if the heads differ too much, or it would stick out.
    pub fn blended(&self, donor: &Head, bleed: &Mask) -> Option<Blended> {
        let (here, there) = (self.span, donor.span);
        let ratios = [
            there.height() / here.height(),
            there.width() / here.width(),
            donor.inside.count() as f64 / self.inside.count() as f64,
        ];
        if ratios.iter().any(|ratio| !(1.0 / ALIKE..=ALIKE).contains(ratio)) {
            return None;
        }
        let soft = softened(bleed);
        let mut blended = Blended {
            places: Vec::new(),
            shares: Vec::new(),
            sources: Vec::new(),
            side: self.side,
        };
        let mut all = 0.0;
        for place in 0..self.side * self.side {
            let (row, column) = (place / self.side, place % self.side);
            let along = |at: usize, here: usize, there: usize, ratio: f64| {
                there as f64 + (at as f64 + 0.5 - here as f64) * ratio - 0.5
            };
            let source = [
                along(row, here.rows[0], there.rows[0], ratios[0]),
                along(column, here.columns[0], there.columns[0], ratios[1]),
            ];
            let share = sample(&soft, self.side, source);
            all += share;
            if share > 0.0 && self.inside.pixels[place] {
                blended.places.push(place);
                blended.shares.push(share);
                blended.sources.push(source);
            }
        }
        let kept: f32 = blended.shares.iter().sum();
        (all > 0.0 && f64::from(kept) >= LEAST_INSIDE * f64::from(all)).then_some(blended)
    }
}

/// The pixels of a slice that take something of another's.
#[derive(Debug, Clone)]
pub struct Blended {
    side: usize,
    places: Vec<usize>,
    /// How much each takes, above 0 and at most 1.
    shares: Vec<f32>,
    /// Row and column of the other slice that each takes it of.
    sources: Vec<[f64; 2]>,
}

impl Blended {
    /// Blends a plane of the other slice, whatever its window, into the same plane of this one.
    pub fn apply(&self, donor: &[u8], plane: &mut [u8]) {
        let donor: Vec<f32> = donor.iter().map(|value| f32::from(*value)).collect();
        for ((place, share), source) in self.places.iter().zip(&self.shares).zip(&self.sources) {
            let own = f32::from(plane[*place]);
            let taken = sample(&donor, self.side, *source);
            plane[*place] = (own + share * (taken - own)).round() as u8;
        }
    }
}

/// 1 on a mask, falling to 0 around it.
fn softened(mask: &Mask) -> Vec<f32> {
    let side = mask.side;
    // In an image of 256 pixels the edge is five wide.
    let reach = scaled(2.0, side);
    let step = 1.0 / (reach + 1) as f32;
    let mut soft = vec![0.0; side * side];
    let mut grown = mask.clone();
    for ring in 0..=reach {
        let share = 1.0 - ring as f32 * step;
        for place in grown.places() {
            soft[place] = f32::max(soft[place], share);
        }
        grown = grown.grown(1);
    }
    soft
}

/// The value between four pixels; 0 outside of the image.
fn sample(values: &[f32], side: usize, [row, column]: [f64; 2]) -> f32 {
    let (top, left) = (row.floor(), column.floor());
    let (low, right) = ((row - top) as f32, (column - left) as f32);
    let value = |row: f64, column: f64| {
        let inside = |at: f64| at >= 0.0 && at < side as f64;
        match inside(row) && inside(column) {
            true => values[row as usize * side + column as usize],
            false => 0.0,
        }
    };
    let between = |a: f32, b: f32, part: f32| a + (b - a) * part;
    let upper = between(value(top, left), value(top, left + 1.0), right);
    let lower = between(value(top + 1.0, left), value(top + 1.0, left + 1.0), right);
    between(upper, lower, low)
}
