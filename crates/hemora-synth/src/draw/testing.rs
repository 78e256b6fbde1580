//! Slices for tests, from the phantom.

use hemora_ct::Window;

use super::head::HeadSlice;
use crate::{Bleeds, HeadPhantom, PhantomOptions};

/// A slice of a phantom without hemorrhage in the brain window.
pub(super) fn head_picture(seed: u64, side: usize, index: usize) -> Vec<u8> {
    let options =
        PhantomOptions { bleeds: Bleeds::none(), ..PhantomOptions::default() }.with_size(side);
    let slice = HeadPhantom::new(seed, options).unwrap().render_slice(index).slice;
    slice.hu().iter().map(|&hu| Window::BRAIN.to_grey(hu)).collect()
}

pub(super) fn head(seed: u64, side: usize, index: usize) -> HeadSlice {
    HeadSlice::new(&head_picture(seed, side, index), side).expect("the phantom's skull is closed")
}
