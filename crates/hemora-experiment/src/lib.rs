//! Experiments of many steps, each a run of a program: the seed study ([`study`]) and whole recipes from
//! a data set to a bundle ([`recipe`]). Both run on one [`engine`] of steps. No network runs in this
//! crate, and it links no tensor library.

pub mod engine;
pub mod recipe;
pub mod study;
