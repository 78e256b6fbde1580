//! An interval on a line of its own, for the rows of a forest plot.

use maud::{Markup, html};

use super::coordinate::{Coordinate, path};
use super::scale::Scale;

/// An interval as a line with its value as a dot, on a base line over `domain`. It repeats numbers that
/// stand beside it, so it is hidden from screen readers.
pub fn interval(
    domain: [f64; 2],
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
) -> Markup {
    let scale = Scale { domain, range: [4.0, 156.0] };
    let at =
        |value: Option<f64>| value.filter(|value| value.is_finite()).map(|value| scale.at(value));
    html! {
        svg class="forest" viewBox="0 0 160 16" aria-hidden="true" {
            path class="base" d="M4 8H156M4 4v8M156 4v8" {}
            @if let (Some(low), Some(high)) = (at(low), at(high)) {
                path class="whisker" d=(path([[low, 8.0], [high, 8.0]])) {}
            }
            @if let Some(value) = at(value) {
                circle cx=(Coordinate(value)) cy="8" r="3.5" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_value_stand_on_the_line() {
        let text = interval([0.5, 1.0], Some(0.75), Some(0.5), Some(1.0)).into_string();
        assert!(
            text.contains("d=\"M4.0 8.0L156.0 8.0\"") && text.contains("cx=\"80.0\""),
            "{text}"
        );
        let none = interval([0.5, 1.0], None, Some(0.6), Some(f64::NAN)).into_string();
        assert!(!none.contains("whisker") && !none.contains("circle"));
    }
}
