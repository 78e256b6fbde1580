//! A study's result as one picture, for systems that show pictures alone.

mod bars;
mod canvas;
mod font;
mod layout;
mod pane;

pub use layout::{CapturePicture, CaptureText, CaptureVerdict, capture};
