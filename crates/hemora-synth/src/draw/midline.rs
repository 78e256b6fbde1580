//! The midline of a slice, from the symmetry of the inside of its skull.

use super::field::Field;

/// How far the midline is sought from the vertical, degrees.
const STEEPEST: f32 = 36.0;
/// How far the falx may lie from the straight midline, pixels at a side of 256.
const STRAY: f32 = 5.0;

/// The head's own directions in a picture.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Row and column of the middle.
    centre: [f32; 2],
    /// Row and column parts of the unit vector to the back; to the picture's right it is turned.
    back: [f32; 2],
    /// Greatest extents from the centre along and across the midline, pixels.
    pub(super) half: [f32; 2],
    /// Distance of the falx from the straight midline for each pixel from front to back.
    falx: Vec<f32>,
}

impl Frame {
    /// The frame in which the inside of the skull and the picture are most alike on both sides.
    pub(super) fn new(inside: &[bool], depth: &Field, soft: &Field, scale: f32) -> Self {
        let side = depth.side;
        let pixels: Vec<[f32; 2]> = (0..inside.len())
            .filter(|&pixel| inside[pixel])
            .map(|pixel| [(pixel / side) as f32, (pixel % side) as f32])
            .collect();
        let count = pixels.len().max(1) as f32;
        let centre = [0, 1].map(|axis| pixels.iter().map(|p| p[axis]).sum::<f32>() / count);
        // Some hundred pixels settle the symmetry; the deeper ones count no more than the rim.
        let sparse: Vec<[f32; 2]> = pixels.iter().copied().step_by(37).collect();
        let rim = 14.0 * scale;
        let cost = |angle: f32, offset: f32| {
            let (across, at) = axis(centre, angle, offset);
            let mut sum = 0.0;
            for p in &sparse {
                let away = (p[0] - at[0]) * across[0] + (p[1] - at[1]) * across[1];
                let twin = [p[0] - 2.0 * away * across[0], p[1] - 2.0 * away * across[1]];
                let here = depth.at(p[0], p[1]).min(rim);
                let there = depth.at(twin[0], twin[1]).min(rim);
                sum += (here - there).abs();
            }
            sum
        };
        let mut best = (f32::INFINITY, 0.0, 0.0);
        let mut search = |angles: f32, step: f32, offsets: f32, offset_step: f32| {
            let (angle, offset) = (best.1, best.2);
            for turn in steps(angles, step) {
                for shift in steps(offsets, offset_step) {
                    let (angle, offset) = (angle + turn, offset + shift);
                    // A slight preference for upright heads decides between nearly round ones.
                    let found = cost(angle, offset) * (1.0 + 0.004 * angle.abs());
                    if found < best.0 {
                        best = (found, angle, offset);
                    }
                }
            }
        };
        search(STEEPEST, 6.0, 8.0 * scale, 4.0 * scale);
        search(4.0, 2.0, 2.0 * scale, 2.0 * scale);
        search(1.0, 1.0, 1.0 * scale, 1.0 * scale);
        let (across, centre) = axis(centre, best.1, best.2);
        let mut frame =
            Self { centre, back: [across[1], -across[0]], half: [0.0; 2], falx: Vec::new() };
        for p in &sparse {
            let [along, aside] = frame.place(p[0], p[1]);
            frame.half = [frame.half[0].max(along.abs()), frame.half[1].max(aside.abs())];
        }
        frame.falx = frame.follow_falx(soft, scale);
        frame
    }

    /// Place in the head of a pixel: to the back and to the picture's right, pixels.
    pub(super) fn place(&self, row: f32, column: f32) -> [f32; 2] {
        let (row, column) = (row - self.centre[0], column - self.centre[1]);
        let [y, x] = self.back;
        [row * y + column * x, column * y - row * x]
    }

    /// Row and column of a place in the head.
    pub(super) fn pixel(&self, along: f32, aside: f32) -> [f32; 2] {
        let [y, x] = self.back;
        [self.centre[0] + along * y - aside * x, self.centre[1] + along * x + aside * y]
    }

    /// Row and column of a place in half lengths and half widths of the inside.
    pub(super) fn relative_pixel(&self, along: f32, aside: f32) -> [f32; 2] {
        self.pixel(along * self.half[0], aside * self.half[1])
    }

    /// Place in half lengths and half widths of the inside.
    pub(super) fn relative(&self, row: f32, column: f32) -> [f32; 2] {
        let [along, aside] = self.place(row, column);
        [along / self.half[0].max(1.0), aside / self.half[1].max(1.0)]
    }

    /// How far (pixels, to the right) the falx lies from the straight midline.
    pub(super) fn falx(&self, along: f32) -> f32 {
        let at = (along + self.half[0]).max(0.0);
        let last = self.falx.len() - 1;
        let index = (at as usize).min(last);
        let next = (index + 1).min(last);
        self.falx[index] + (self.falx[next] - self.falx[index]) * at.fract()
    }

    /// The smooth line near the midline along which the picture differs most from what is beside
    /// it: the dark fissure or the bright falx.
    fn follow_falx(&self, soft: &Field, scale: f32) -> Vec<f32> {
        let step = 0.5 * scale;
        let offsets: Vec<f32> = steps(STRAY * scale, step).collect();
        let length = (2.0 * self.half[0]).ceil() as usize + 1;
        let mut costs = vec![0f32; offsets.len()];
        let mut from: Vec<Vec<usize>> = Vec::with_capacity(length);
        for index in 0..length {
            let along = index as f32 - self.half[0];
            let at = |aside: f32| {
                let [row, column] = self.pixel(along, aside);
                soft.at(row, column)
            };
            let mut next = Vec::with_capacity(offsets.len());
            let mut back = Vec::with_capacity(offsets.len());
            for (state, &offset) in offsets.iter().enumerate() {
                let beside = (at(offset - 4.0 * scale) + at(offset + 4.0 * scale)) / 2.0;
                // Bone meets the midline at both ends, so a strong difference counts no more.
                let differs = (at(offset) - beside).abs().min(30.0);
                let stray = offset / (STRAY * scale);
                let (best, cost) = (state.saturating_sub(1)..=(state + 1).min(offsets.len() - 1))
                    .map(|other| (other, costs[other] + if other == state { 0.0 } else { 6.0 }))
                    .min_by(|one, other| one.1.total_cmp(&other.1))
                    .expect("the state itself is among them");
                next.push(cost - differs + 6.0 * stray * stray);
                back.push(best);
            }
            costs = next;
            from.push(back);
        }
        let last = (0..costs.len()).min_by(|&one, &other| costs[one].total_cmp(&costs[other]));
        let mut state = last.unwrap_or(0);
        let mut falx = vec![0.0; length];
        for index in (0..length).rev() {
            falx[index] = offsets[state];
            state = from[index][state];
        }
        smoothed(&falx, (4.0 * scale) as usize)
    }
}

/// How much of its outline, about, a mask fills: of what lies between its outermost pixels in its row
/// or in its column.
pub(super) fn solidity(inside: &[bool], side: usize) -> f32 {
    let span = |pixels: &mut dyn Iterator<Item = bool>| {
        let mut span = (usize::MAX, 0);
        for (index, set) in pixels.enumerate() {
            if set {
                span = (span.0.min(index), index);
            }
        }
        span
    };
    let rows: Vec<_> =
        (0..side).map(|row| span(&mut inside[row * side..][..side].iter().copied())).collect();
    let columns: Vec<_> = (0..side)
        .map(|column| span(&mut inside.iter().skip(column).step_by(side).copied()))
        .collect();
    let within = |span: (usize, usize), at: usize| span.0 <= at && at <= span.1;
    let hull = (0..side * side)
        .filter(|pixel| {
            let (row, column) = (pixel / side, pixel % side);
            within(rows[row], column) || within(columns[column], row)
        })
        .count();
    let area = inside.iter().filter(|&&set| set).count();
    area as f32 / hull.max(1) as f32
}

/// The unit vector across a midline turned by `angle` degrees, and the centre moved along it.
fn axis(centre: [f32; 2], angle: f32, offset: f32) -> ([f32; 2], [f32; 2]) {
    let (sin, cos) = angle.to_radians().sin_cos();
    let across = [-sin, cos];
    (across, [centre[0] + offset * across[0], centre[1] + offset * across[1]])
}

/// From `−reach` to `reach` by `step`, 0 among them.
fn steps(reach: f32, step: f32) -> impl Iterator<Item = f32> {
    let count = (reach / step).floor() as i32;
    (-count..=count).map(move |index| index as f32 * step)
}

/// The mean over `reach` neighbours to each side.
fn smoothed(values: &[f32], reach: usize) -> Vec<f32> {
    (0..values.len())
        .map(|index| {
            let window =
                &values[index.saturating_sub(reach)..(index + reach + 1).min(values.len())];
            window.iter().sum::<f32>() / window.len() as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::mask;

    /// An egg, its narrow end up, turned by `angle` degrees.
    fn egg(side: usize, angle: f32) -> Vec<bool> {
        let (sin, cos) = f32::to_radians(angle).sin_cos();
        (0..side * side)
            .map(|pixel| {
                let (row, column) = ((pixel / side) as f32 - 100.0, (pixel % side) as f32 - 96.0);
                let (y, x) = (row * cos - column * sin, column * cos + row * sin);
                let width = 50.0 + 0.12 * y;
                (y / 66.0).powi(2) + (x / width).powi(2) < 1.0
            })
            .collect()
    }

    #[test]
    fn the_midline_follows_a_turned_head() {
        for angle in [-24.0, -7.0, 0.0, 15.0, 30.0f32] {
            let inside = egg(200, angle);
            let depth = mask::depth(&inside, 200);
            let frame = Frame::new(&inside, &depth, &Field::new(200), 0.78);
            let found = (-frame.back[1]).atan2(frame.back[0]).to_degrees();
            assert!((found - angle).abs() < 3.0, "{angle}: {found}");
            let [along, aside] = frame.place(100.0, 96.0);
            assert!(aside.abs() < 2.5 && along.abs() < 8.0, "{along} {aside}");
            let [row, column] = frame.pixel(along, aside);
            assert!((row - 100.0).abs() < 1e-3 && (column - 96.0).abs() < 1e-3);
        }
    }

    #[test]
    fn the_falx_is_found_beside_the_straight_midline() {
        let inside = egg(200, 0.0);
        let depth = mask::depth(&inside, 200);
        let soft =
            Field::from_fn(200, |_, column| if (column - 98.0).abs() < 1.5 { 60.0 } else { 90.0 });
        let frame = Frame::new(&inside, &depth, &soft, 0.78);
        for along in [-40.0, 0.0, 40.0] {
            let [_, column] = frame.pixel(along, frame.falx(along));
            assert!((column - 98.0).abs() < 1.2, "{along}: {column}");
        }
    }

    #[test]
    fn a_dented_outline_is_less_solid() {
        let mut inside = egg(200, 0.0);
        assert!(solidity(&inside, 200) > 0.97);
        (95..120).for_each(|row| inside[row * 200..][..80].fill(false));
        assert!(solidity(&inside, 200) < 0.93);
    }
}
