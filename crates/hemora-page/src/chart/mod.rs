//! Charts as inline SVG: axes and scales, lines, dots, bars, intervals, matrices of counts.

mod axis;
mod bars;
mod coordinate;
mod interval;
mod matrix;
mod plane;
mod scale;

pub use axis::Axis;
pub use bars::{bar_list, share_bar};
pub use coordinate::{Coordinate, path};
pub use interval::interval;
pub use matrix::matrix;
pub use plane::{Chart, Frame};
pub use scale::Scale;
