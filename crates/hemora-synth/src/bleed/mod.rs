//! The five kinds of bleeds: where they lie, what they displace, what they look like.

mod choice;
mod extra_axial;
mod intraparenchymal;
mod intraventricular;
mod lesions;
mod subarachnoid;

pub(crate) use choice::{choose, with_companions};
pub(crate) use lesions::Lesions;
