//! Where a slice's bleed lies, by brightness, size and place: a guess that would rather find nothing.

use hemora_ct::{Label, Window};

use super::mask::Mask;
use super::options::Blend;

/// From this grey of the brain window on a pixel may be bone.
const BONE: u8 = 250;
/// Least area of the inside of the skull, as a part of the image.
const LEAST_INSIDE: f64 = 0.06;
/// Most of a bleed that may be as bright as bone: calcifications are.
const MOST_WHITE: f64 = 0.25;
/// Half of the middle strip, and the width of what is thin there, as parts of the inside's width: the
/// falx.
const MIDDLE: [f64; 2] = [0.06, 0.12];
/// Part of the inside's height, from the front, below which nothing at the skull is taken: there the
/// transverse sinuses lie.
const SINUSES: f64 = 0.75;

/// Pixels of an image of `side` that are so many in one of 256, at least 1.
pub(super) fn scaled(pixels: f64, side: usize) -> usize {
    ((pixels * side as f64 / 256.0).round() as usize).max(1)
}

/// The inside of the skull of a slice in the brain window: the largest part that bone parts from the
/// border. `None` where bone does not close, as at the base of the skull.
pub(super) fn inside(grey: &[u8], side: usize) -> Option<Mask> {
    // Gaps as wide as sutures are closed.
    let bone = Mask::from_grey(side, grey, |value| value >= BONE).grown(scaled(2.0, side));
    let at_border = |place: &usize| {
        let (row, column) = (place / side, place % side);
        row == 0 || column == 0 || row + 1 == side || column + 1 == side
    };
    let parts = bone.not().parts(false);
    let closed = parts.into_iter().filter(|part| !part.iter().any(at_border));
    let largest = closed.max_by_key(Vec::len)?;
    let enough = largest.len() as f64 >= LEAST_INSIDE * (side * side) as f64;
    enough.then(|| Mask::from_places(side, &largest))
}

/// The bleed of a kind in a slice in the brain window, 8-bit grey, whose skull has this inside;
/// `None` if none is found.
pub(super) fn bleed(
    grey: &[u8],
    side: usize,
    inside: &Mask,
    kind: Label,
    options: &Blend,
) -> Option<Mask> {
    let smooth = medians(grey, side, inside);
    let middle = median(inside.places().map(|place| smooth[place]));
    let extra_axial = matches!(kind, Label::Subdural | Label::Epidural);
    let contrast = options.least_contrast / f64::from(Window::BRAIN.width) * 255.0;
    let least = Window::BRAIN.to_grey(options.least_hu as f32);
    let bright = Mask::from_grey(side, &smooth, |value| {
        value >= least && f64::from(value) >= f64::from(middle) + 0.9 * contrast
    });
    let bright = bright.and(inside);
    // What is thin goes: vessels, the falx, the tentorium.
    let radius = scaled(2.0, side);
    let open = bright.clone().shrunk(radius).grown(radius + 1).and(&bright);
    let rim = inside.clone().shrunk(scaled(4.0, side)).not();
    let (area, whole) = (inside.count() as f64, Mask::span(side, inside.places()));
    let centre = mean(inside.places().map(|place| place % side));
    let mut found = Vec::new();
    for part in open.parts(true) {
        let size = part.len() as f64;
        let share = size / area;
        let white = part.iter().filter(|place| grey[**place] >= BONE).count() as f64 / size;
        let brightness = mean(part.iter().map(|place| usize::from(smooth[*place])));
        let thick = Mask::from_places(side, &part).shrunk(scaled(4.0, side)).count() > 0;
        if !(options.area[0]..=options.area[1]).contains(&share)
            || white > MOST_WHITE
            || brightness < f64::from(middle) + contrast
            || !thick
        {
            continue;
        }
        let span = Mask::span(side, part.iter().copied());
        let [row, column] =
            [mean(part.iter().map(|it| it / side)), mean(part.iter().map(|it| it % side))];
        let in_middle = (column - centre).abs() < MIDDLE[0] * whole.width();
        if in_middle && span.width() < MIDDLE[1] * whole.width() {
            continue;
        }
        let at_skull = part.iter().any(|place| rim.pixels[*place]);
        let fits = match extra_axial {
            true => at_skull && row < whole.rows[0] as f64 + SINUSES * whole.height(),
            false => !at_skull,
        };
        if fits {
            found.extend(part);
        }
    }
    (!found.is_empty()).then(|| Mask::from_places(side, &found))
}

/// The median of each pixel of `inside` and the eight around it; 0 elsewhere.
fn medians(grey: &[u8], side: usize, inside: &Mask) -> Vec<u8> {
    let mut smooth = vec![0; grey.len()];
    for place in inside.places() {
        let (row, column) = (place / side, place % side);
        let mut values = [0; 9];
        for (at, value) in values.iter_mut().enumerate() {
            let row = (row + at / 3).saturating_sub(1).min(side - 1);
            let column = (column + at % 3).saturating_sub(1).min(side - 1);
            *value = grey[row * side + column];
        }
        values.sort_unstable();
        smooth[place] = values[4];
    }
    smooth
}

/// The median of bytes; 0 of none.
fn median(values: impl Iterator<Item = u8>) -> u8 {
    let (mut counts, mut total) = ([0usize; 256], 0);
    for value in values {
        counts[usize::from(value)] += 1;
        total += 1;
    }
    let mut below = 0;
    for (value, count) in (0..=255).zip(counts) {
        below += count;
        if 2 * below > total {
            return value;
        }
    }
    0
}

fn mean(values: impl Iterator<Item = usize>) -> f64 {
    let (mut sum, mut count) = (0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    sum as f64 / f64::from(count.max(1))
}
