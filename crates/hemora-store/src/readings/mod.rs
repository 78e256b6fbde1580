//! What readers do with studies: they open, acknowledge and judge them.

mod acknowledge;
mod words;

pub use acknowledge::Acknowledgement;
pub use words::{Reading, ReadingEvent};
