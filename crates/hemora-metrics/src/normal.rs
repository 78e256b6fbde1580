//! The standard normal distribution.

use std::f64::consts::SQRT_2;

use statrs::function::erf::{erfc, erfc_inv};

/// Probability of a value up to `z`.
pub(crate) fn cumulative(z: f64) -> f64 {
    erfc(-z / SQRT_2) / 2.0
}

/// The value up to which lies `part` (0 to 1) of the distribution.
pub(crate) fn quantile(part: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * part)
}

/// Probability of a value at least as far from 0 as `z`, on both sides.
pub(crate) fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // scipy.stats.norm.ppf(0.975), norm.cdf(-3), 2 * norm.sf(2.5)
        assert!((quantile(0.975) - 1.959963984540054).abs() < 1e-11);
        assert!((cumulative(-3.0) - 0.0013498980316300933).abs() < 1e-11);
        assert!((two_sided(2.5) - 0.012419330651552265).abs() < 1e-11);
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
    }
}
