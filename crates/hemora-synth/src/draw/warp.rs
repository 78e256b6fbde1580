//! Mass effect: brain that drawn blood pushes aside.

use super::canvas::Canvas;
use super::field::Field;
use super::head::HeadSlice;
use crate::math::smoothstep;

/// Layers of brain, in thicknesses of the blood, over which its push dies away.
const REACH: f32 = 2.5;

impl Canvas<'_> {
    /// Pushes brain from a point: what lay `radius` pixels away moves outward by `share` of it,
    /// less further off.
    pub(super) fn push_from(&mut self, centre: [f32; 2], radius: f32, share: f32) {
        let head = self.head;
        let reach = 4.0 * radius;
        self.move_pixels(|pixel, row, column| {
            let (down, across) = (row - centre[0], column - centre[1]);
            let away = down.hypot(across);
            if away >= reach || away < 0.5 {
                return None;
            }
            // Bone does not give way, nor does the brain beside it.
            let free = smoothstep(0.0, 9.0 * head.scale, head.depth.values[pixel]);
            let fade = (-(away / radius - 1.0).max(0.0) / 1.1).exp()
                * smoothstep(reach, 0.7 * reach, away);
            let step = (share * radius * fade * free).min(0.9 * away) / away;
            Some([row - down * step, column - across * step])
        });
    }

    /// Pushes brain inward from the inner table by `thickness` (pixels) at each pixel.
    pub(super) fn push_inward(&mut self, thickness: &Field) {
        let head = self.head;
        let slope = head.depth.clone().blurred(2.0 * head.scale);
        self.move_pixels(|pixel, row, column| {
            let (thick, depth) = (thickness.values[pixel], head.depth.values[pixel]);
            let reach = (1.0 + REACH) * thick;
            if thick < 0.5 || depth >= reach {
                return None;
            }
            let down = slope.at(row + 1.0, column) - slope.at(row - 1.0, column);
            let across = slope.at(row, column + 1.0) - slope.at(row, column - 1.0);
            let length = down.hypot(across).max(1e-3);
            // What filled depths `rim` to `reach` is squeezed into `thick` to `reach`; nearer to bone
            // pixels are bright with it.
            let rim = (3.0 * head.scale).min(0.5 * thick);
            let share = ((depth - thick) / (reach - thick)).max(0.0);
            let from = rim + share * (reach - rim);
            let step = (depth - from).max(0.0) / length;
            Some([row - down * step, column - across * step])
        });
    }

    /// Takes each pixel's value from the place that `from` gives; where it gives one in bone, the
    /// pixel stays.
    fn move_pixels(&mut self, from: impl Fn(usize, f32, f32) -> Option<[f32; 2]>) {
        // Blood that was drawn before would leave its mask.
        if self.bleeds.iter().any(|&bits| bits != 0) {
            return;
        }
        let head: &HeadSlice = self.head;
        let before = self.grey.clone();
        let noise = head.noise.deviation;
        for pixel in head.pixels() {
            let [row, column] = head.place(pixel);
            let Some([from_row, from_column]) = from(pixel, row, column) else { continue };
            if !head.holds(from_row, from_column, 0.6) {
                continue;
            }
            // Interpolation averages noise away; the pixel's own noise makes up for some of it.
            let own = before.values[pixel] - head.soft.values[pixel];
            let own = 0.35 * own.clamp(-2.0 * noise, 2.0 * noise);
            self.grey.values[pixel] = before.at(from_row, from_column) + own;
        }
    }
}
