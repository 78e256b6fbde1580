//! A graph as libtorch operations.

mod draw;
mod network;
mod operations;
mod sequence;
mod windows;

pub(crate) use network::host_weights;
pub use network::{Layout, Mode, Model, to_host};
pub use windows::SERIES;
