//! Nodes, and images for them, as the soak and the benchmark of `hemora serve` need them.

pub mod http;
mod images;
mod program;
mod running;

pub use images::{Name, Slice, phantoms, studies};
pub use program::{build, fresh_folder};
pub use running::{Node, free_port, peak_memory};
