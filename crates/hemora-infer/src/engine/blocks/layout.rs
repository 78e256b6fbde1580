//! Images from planes to blocks and back.

use hemora_ct::widest;

use super::{LANES, Point};

/// Points that are brought over at a time: all of their channels fit into the nearest cache.
const AT_ONCE: usize = 256;

/// Channels beyond the last stay as `blocks` has them.
pub(super) fn to_blocks(planes: &[f32], points: usize, blocks: &mut [Point]) {
    widest(
        #[inline(always)]
        || {
            let blocks = blocks.chunks_exact_mut(points);
            for (planes, block) in planes.chunks(points * LANES).zip(blocks) {
                for (part, block) in block.chunks_mut(AT_ONCE).enumerate() {
                    for (lane, plane) in planes.chunks_exact(points).enumerate() {
                        let plane = &plane[part * AT_ONCE..][..block.len()];
                        for (to, from) in block.iter_mut().zip(plane) {
                            to[lane] = *from;
                        }
                    }
                }
            }
        },
    );
}

/// Channels beyond the last are left out.
pub(super) fn to_planes(blocks: &[Point], points: usize, planes: &mut [f32]) {
    widest(
        #[inline(always)]
        || {
            let blocks = blocks.chunks_exact(points);
            for (planes, block) in planes.chunks_mut(points * LANES).zip(blocks) {
                for (part, block) in block.chunks(AT_ONCE).enumerate() {
                    for (lane, plane) in planes.chunks_exact_mut(points).enumerate() {
                        let plane = &mut plane[part * AT_ONCE..][..block.len()];
                        for (to, from) in plane.iter_mut().zip(block) {
                            *to = from[lane];
                        }
                    }
                }
            }
        },
    );
}
