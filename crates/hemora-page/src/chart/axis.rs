//! One axis of a chart: what it runs over, where its ticks are, what it is called.

use super::scale::Scale;
use crate::number;

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// First and last value.
    pub(super) domain: [f64; 2],
    /// Values with the texts beside them.
    pub(super) ticks: Vec<(f64, String)>,
    /// What the axis shows; none if empty.
    pub(super) title: String,
    /// Whether its ticks are short lines outside the chart or lines across it.
    pub(super) grid: bool,
}

impl Axis {
    /// Over `domain`, with at most `most` round ticks whose step is at least `smallest`.
    pub fn linear(title: &str, domain: [f64; 2], most: usize, smallest: f64) -> Self {
        let ticks = Scale { domain, range: domain }.ticks(most, smallest);
        Self::with_ticks(title, domain, ticks.into_iter().map(|at| (at, number::tick(at))))
    }

    /// Over a share or probability, 0–1, with a tick a quarter.
    pub fn share(title: &str) -> Self {
        let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
        Self::with_ticks(title, [0.0, 1.0], ticks.map(|at| (at, number::tick(at))))
    }

    /// Over positive values by their logarithm to base 10, with a line a power of ten. Values stand on
    /// it by their logarithm.
    pub fn powers_of_ten(title: &str, [first, last]: [f64; 2]) -> Self {
        let domain = [first.log10(), last.log10()];
        // No finite number lies further from 1, and the list must end for others too.
        let power = |end: f64| end.clamp(-324.0, 309.0) as i32;
        let powers = power(domain[0].ceil())..=power(domain[1].floor());
        let ticks = powers.map(|power| (f64::from(power), format!("1e{power}")));
        Self { grid: true, ..Self::with_ticks(title, domain, ticks) }
    }

    /// Over categories: number `index` stands from `index` to `index + 1`, its name in the middle.
    pub fn categories(title: &str, names: impl IntoIterator<Item = String>) -> Self {
        let ticks: Vec<_> =
            names.into_iter().enumerate().map(|(index, name)| (index as f64 + 0.5, name)).collect();
        Self::with_ticks(title, [0.0, ticks.len().max(1) as f64], ticks)
    }

    /// Over `domain`, with these ticks.
    pub fn with_ticks(
        title: &str,
        domain: [f64; 2],
        ticks: impl IntoIterator<Item = (f64, String)>,
    ) -> Self {
        Self { domain, ticks: ticks.into_iter().collect(), title: title.to_owned(), grid: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_have_short_texts() {
        assert_eq!(
            texts(&Axis::linear("", [0.0, 1.0], 5, 1e-6)),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(texts(&Axis::share("p")), ["0", "0.25", "0.5", "0.75", "1"]);
        let rates = Axis::powers_of_ten("rate", [2e-4, 0.5]);
        assert_eq!(texts(&rates), ["1e-3", "1e-2", "1e-1"]);
        assert_eq!(rates.ticks[0].0, -3.0);
        let names = Axis::categories("", ["a".to_owned(), "b".to_owned()]);
        assert_eq!((names.domain, names.ticks[1].0), ([0.0, 2.0], 1.5));
    }

    #[test]
    fn an_endless_range_of_powers_has_an_end() {
        assert!(Axis::powers_of_ten("", [f64::NAN, 1.0]).ticks.len() <= 1);
        assert!(Axis::powers_of_ten("", [0.0, f64::INFINITY]).ticks.len() < 700);
        assert!(Axis::powers_of_ten("", [1.0, 0.1]).ticks.is_empty());
    }
}
