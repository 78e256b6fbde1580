//! A graph as libtorch operations.

mod draw;
mod network;
mod operations;
mod sequence;

pub use network::{Layout, Mode, Model, to_host};
