//! One inverse affine warp with bilinear sampling, of all channels of an image at once.

/// Largest step between samples, source pixels, before more samples are averaged per target pixel.
/// Up to here a bilinear sample (2 pixels wide) leaves no pixel out.
const MAX_STEP: f64 = 1.5;

/// Where each target position comes from, `[x, y]` with the image spanning −0.5 to 0.5 on both
/// axes: `source = matrix · target + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SourceFromTarget {
    pub(crate) matrix: [[f64; 2]; 2],
    pub(crate) offset: [f64; 2],
}

impl SourceFromTarget {
    /// Nothing moves.
    pub(crate) const SAME: Self = Self { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };
}

/// Samples `source` (`side²` pixels) into `target` (`size²` pixels). Outside of the source is
/// `outside`. A pixel has one value a channel: where they lie is computed once for all of them.
pub(crate) fn warp<const CHANNELS: usize>(
    source: &[[f32; CHANNELS]],
    side: usize,
    outside: f32,
    from: &SourceFromTarget,
    size: usize,
    target: &mut [[f32; CHANNELS]],
) {
    let scale = side as f64 / size as f64;
    // Source pixels per target pixel: along a target row, and along a target column.
    let along = |axis: usize| [from.matrix[0][axis] * scale, from.matrix[1][axis] * scale];
    let (across, down) = (along(0), along(1));
    let length = |step: [f64; 2]| step[0].hypot(step[1]);
    let samples = (length(across).max(length(down)) / MAX_STEP).ceil().clamp(1.0, 8.0) as usize;
    let weight = 1.0 / (samples * samples) as f32;
    target.fill([0.0; CHANNELS]);
    let mut places = vec![Sampled::default(); size];
    for sub in 0..samples * samples {
        // Centre of this sample within the target pixel, then from −0.5…0.5 to pixel centres.
        let part = |index: usize| (index as f64 + 0.5) / samples as f64;
        let corner =
            [part(sub % samples) / size as f64 - 0.5, part(sub / samples) / size as f64 - 0.5];
        let start: [f64; 2] = std::array::from_fn(|axis| {
            let [x, y] = from.matrix[axis];
            (x * corner[0] + y * corner[1] + from.offset[axis] + 0.5) * side as f64 - 0.5
        });
        for (row, line) in target.chunks_exact_mut(size).enumerate() {
            let at = [start[0] + row as f64 * down[0], start[1] + row as f64 * down[1]];
            locate(at, across, side, &mut places);
            for (value, place) in line.iter_mut().zip(&places) {
                let sample = place.sample(source, side, outside);
                *value = std::array::from_fn(|channel| value[channel] + sample[channel] * weight);
            }
        }
    }
}

/// Where a sample lies: the pixel above and left of it, and how far it is from there.
#[derive(Debug, Clone, Copy, Default)]
struct Sampled {
    left: i32,
    top: i32,
    right_part: f32,
    low_part: f32,
}

/// The samples of a target row. What is further than a pixel outside is moved to there: it sees
/// nothing of the source either way.
fn locate(start: [f64; 2], step: [f64; 2], side: usize, places: &mut [Sampled]) {
    // From here on single precision holds whole numbers alone, in its lowest bits.
    const WHOLE: f32 = (1 << 23) as f32;
    let ([x, y], [across, down]) = (start.map(|v| v as f32), step.map(|v| v as f32));
    let floor = |value: f32| {
        // At least 0 where it is rounded, as the sign is not in the lowest bits.
        let value = value.max(-2.0).min(side as f32 + 1.0) + 2.0;
        let even = (value + WHOLE) - WHOLE;
        let whole = if even > value { even - 1.0 } else { even };
        ((whole + WHOLE).to_bits() as i32 - WHOLE.to_bits() as i32 - 2, value - whole)
    };
    for (column, place) in (0u16..).zip(places) {
        let column = f32::from(column);
        let (left, right_part) = floor(x + column * across);
        let (top, low_part) = floor(y + column * down);
        *place = Sampled { left, top, right_part, low_part };
    }
}

impl Sampled {
    fn sample<const CHANNELS: usize>(
        self,
        source: &[[f32; CHANNELS]],
        side: usize,
        outside: f32,
    ) -> [f32; CHANNELS] {
        let Self { left, top, right_part, low_part } = self;
        let last = side as i32 - 1;
        let corners = if left >= 0 && top >= 0 && left < last && top < last {
            let at = top as usize * side + left as usize;
            let (upper, lower) = (&source[at..at + 2], &source[at + side..at + side + 2]);
            [upper[0], upper[1], lower[0], lower[1]]
        } else {
            let pixel = |row: i32, column: i32| {
                let inside = (0..=last).contains(&row) && (0..=last).contains(&column);
                if inside {
                    source[row as usize * side + column as usize]
                } else {
                    [outside; CHANNELS]
                }
            };
            [pixel(top, left), pixel(top, left + 1), pixel(top + 1, left), pixel(top + 1, left + 1)]
        };
        let between = |a: [f32; CHANNELS], b: [f32; CHANNELS], part: f32| {
            std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * part)
        };
        let upper = between(corners[0], corners[1], right_part);
        let lower = between(corners[2], corners[3], right_part);
        between(upper, lower, low_part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: SourceFromTarget = SourceFromTarget::SAME;

    /// Two channels, the second the first from 255 down.
    fn run(source: &[u8], side: usize, from: &SourceFromTarget, size: usize) -> Vec<f32> {
        let pixels: Vec<[f32; 2]> =
            source.iter().map(|&byte| [f32::from(byte), 255.0 - f32::from(byte)]).collect();
        let mut target = vec![[f32::NAN; 2]; size * size];
        warp(&pixels, side, 0.0, from, size, &mut target);
        let single: Vec<[f32; 1]> = pixels.iter().map(|pixel| [pixel[0]]).collect();
        let mut alone = vec![[f32::NAN; 1]; size * size];
        warp(&single, side, 0.0, from, size, &mut alone);
        // Channels do not touch each other.
        assert!(target.iter().zip(&alone).all(|(pixel, alone)| pixel[0] == alone[0]));
        alone.into_iter().map(|[value]| value).collect()
    }

    #[test]
    fn the_identity_changes_nothing() {
        let source: Vec<u8> = (0..25).map(|value| value * 10).collect();
        let same = run(&source, 5, &SAME, 5);
        for (value, byte) in same.iter().zip(&source) {
            assert!((value - f32::from(*byte)).abs() < 1e-3, "{value} {byte}");
        }
    }

    #[test]
    fn a_mirror_and_a_quarter_turn_are_exact() {
        let source: Vec<u8> = (0..16).map(|value| value * 16).collect();
        let mirror = SourceFromTarget { matrix: [[-1.0, 0.0], [0.0, 1.0]], ..SAME };
        let turn = SourceFromTarget { matrix: [[0.0, 1.0], [-1.0, 0.0]], ..SAME };
        let (mirrored, turned) = (run(&source, 4, &mirror, 4), run(&source, 4, &turn, 4));
        for row in 0..4 {
            for column in 0..4 {
                let at = row * 4 + column;
                assert!((mirrored[at] - f32::from(source[row * 4 + 3 - column])).abs() < 1e-3);
                assert!((turned[at] - f32::from(source[(3 - column) * 4 + row])).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn outside_is_black_however_far() {
        let away = SourceFromTarget { offset: [1e30, -1e30], ..SAME };
        assert!(run(&[200; 16], 4, &away, 4).iter().all(|value| *value == 0.0));
        let half = SourceFromTarget { offset: [0.5, 0.0], ..SAME };
        let shifted = run(&[200; 16], 4, &half, 4);
        assert!((shifted[0] - 200.0).abs() < 1e-3 && shifted[3] == 0.0);
    }

    #[test]
    fn strong_reduction_averages_instead_of_skipping() {
        // Columns 0, 255, 0, 255 …: a single sample per pixel would alias to black or white.
        let source: Vec<u8> = (0..64 * 64).map(|at| if at % 2 == 0 { 0 } else { 255 }).collect();
        let small = run(&source, 64, &SAME, 16);
        assert!(small.iter().all(|value| (value - 127.5).abs() < 8.0), "{:?}", &small[..4]);
    }
}
