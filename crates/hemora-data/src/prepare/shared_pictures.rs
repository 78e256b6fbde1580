//! One picture under several patients.

use std::fmt;

/// Images of a split that are the same picture as an image of another patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SharedPictures {
    /// How many there are.
    pub images: usize,
    /// Whether these patients may stand on several sides: with all of them on one there would be fewer
    /// groups than parts, as in sets of phantoms that repeat one head.
    pub is_apart: bool,
}

impl fmt::Display for SharedPictures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, is_apart } = self;
        write!(out, "{images} images are the same picture as an image of another patient")?;
        out.write_str(match is_apart {
            false => ", and these patients stand on one side",
            true => {
                "; these patients do not stand on one side, since too few groups would be left for the \
                 parts, and figures are too good if they are one person"
            }
        })
    }
}
