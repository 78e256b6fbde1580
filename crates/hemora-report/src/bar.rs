//! A probability as a horizontal bar.

use std::fmt;

use crate::number::unit;

/// A horizontal bar, as inline SVG because browsers print no CSS backgrounds. It repeats a number
/// that stands beside it, so it is hidden from screen readers.
pub(crate) struct Bar(pub(crate) f32);

impl fmt::Display for Bar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = unit(self.0) * 100.0;
        write!(
            formatter,
            "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"track\" width=\"100\" height=\"10\"/>\
             <rect class=\"fill\" width=\"{width:.1}\" height=\"10\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_the_probability() {
        assert!(Bar(0.256).to_string().contains("class=\"fill\" width=\"25.6\""));
        assert!(Bar(7.0).to_string().contains("class=\"fill\" width=\"100.0\""));
        assert!(Bar(f32::NAN).to_string().contains("class=\"fill\" width=\"0.0\""));
    }
}
