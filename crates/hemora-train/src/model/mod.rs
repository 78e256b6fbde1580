//! A graph as libtorch operations.

mod draw;
mod network;
mod operations;
mod sequence;

pub use network::{Mode, Model, to_host};
