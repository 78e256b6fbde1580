//! One inverse affine warp with bilinear sampling, from an 8-bit plane straight to its target.

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

/// Samples `source` (`side²` bytes) into `target` (`size²` values) through `table` (value of each
/// byte). Outside of the source is `table[0]`: black.
pub(crate) fn warp(
    source: &[u8],
    side: usize,
    table: &[f32; 256],
    from: &SourceFromTarget,
    size: usize,
    target: &mut [f32],
) {
    let scale = side as f64 / size as f64;
    // Source pixels per target pixel: along a target row, and along a target column.
    let along = |axis: usize| [from.matrix[0][axis] * scale, from.matrix[1][axis] * scale];
    let (across, down) = (along(0), along(1));
    let length = |step: [f64; 2]| step[0].hypot(step[1]);
    let samples = (length(across).max(length(down)) / MAX_STEP).ceil().clamp(1.0, 8.0) as usize;
    let weight = 1.0 / (samples * samples) as f32;
    target.fill(0.0);
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
            let line = &mut line[..size];
            sample_line(source, side, table, at, across, weight, line);
        }
    }
}

fn sample_line(
    source: &[u8],
    side: usize,
    table: &[f32; 256],
    start: [f64; 2],
    step: [f64; 2],
    weight: f32,
    line: &mut [f32],
) {
    let (start, step) = (start.map(|v| v as f32), step.map(|v| v as f32));
    let last = side as i32 - 1;
    for (column, value) in line.iter_mut().enumerate() {
        let x = start[0] + column as f32 * step[0];
        let y = start[1] + column as f32 * step[1];
        let (left, top) = (floor(x), floor(y));
        let (right_part, low_part) = (x - left as f32, y - top as f32);
        let corners = if left >= 0 && top >= 0 && left < last && top < last {
            let at = top as usize * side + left as usize;
            let (upper, lower) = (&source[at..at + 2], &source[at + side..at + side + 2]);
            [upper[0], upper[1], lower[0], lower[1]].map(|byte| table[byte as usize])
        } else {
            let pixel = |row: i32, column: i32| {
                let inside = (0..=last).contains(&row) && (0..=last).contains(&column);
                let byte = if inside { source[row as usize * side + column as usize] } else { 0 };
                table[byte as usize]
            };
            // Saturating: far outside, a cast ends at the largest integer.
            let (below, right) = (top.saturating_add(1), left.saturating_add(1));
            [pixel(top, left), pixel(top, right), pixel(below, left), pixel(below, right)]
        };
        let upper = corners[0] + (corners[1] - corners[0]) * right_part;
        let lower = corners[2] + (corners[3] - corners[2]) * right_part;
        *value += (upper + (lower - upper) * low_part) * weight;
    }
}

/// Floor by comparison: the instruction is not in the baseline of x86-64, and the library call is
/// the loop's largest cost.
fn floor(value: f32) -> i32 {
    let whole = value as i32;
    whole.saturating_sub(i32::from(whole as f32 > value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: SourceFromTarget =
        SourceFromTarget { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };

    fn units() -> [f32; 256] {
        std::array::from_fn(|byte| byte as f32)
    }

    fn run(source: &[u8], side: usize, from: &SourceFromTarget, size: usize) -> Vec<f32> {
        let mut target = vec![0.0; size * size];
        warp(source, side, &units(), from, size, &mut target);
        target
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
