//! Intervals of a proportion of independent items.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

use crate::bootstrap::check_confidence;
use crate::{MetricError, normal};

/// A proportion with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proportion {
    /// How many have the property.
    pub count: u64,
    /// Of how many.
    pub total: u64,
    /// Their share; `None` of none.
    pub value: Option<f64>,
    /// Lower limit, likewise.
    pub low: Option<f64>,
    /// Upper limit, likewise.
    pub high: Option<f64>,
}

/// Wilson's score interval (J Am Stat Assoc 1927;22:209): close to its confidence on average, and
/// within 0 to 1. For items that are independent; slices of a patient are not.
///
/// # Errors
/// [`MetricError::Option`] if `count` exceeds `total` or `confidence` is not between 0 and 1.
pub fn wilson(count: u64, total: u64, confidence: f64) -> Result<Proportion, MetricError> {
    check(count, total, confidence)?;
    if total == 0 {
        return Ok(Proportion { count, total, value: None, low: None, high: None });
    }
    let n = total as f64;
    let share = count as f64 / n;
    let z = normal::quantile(0.5 + confidence / 2.0);
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // Rounding must not move a limit that is exactly 0 or 1.
    let low = if count == 0 { 0.0 } else { centre - half };
    let high = if count == total { 1.0 } else { centre + half };
    Ok(Proportion { count, total, value: Some(share), low: Some(low), high: Some(high) })
}

/// Clopper and Pearson's interval (Biometrika 1934;26:404): never below its confidence, so wider
/// than needed. For items that are independent.
///
/// # Errors
/// [`MetricError::Option`] if `count` exceeds `total` or `confidence` is not between 0 and 1.
pub fn clopper_pearson(count: u64, total: u64, confidence: f64) -> Result<Proportion, MetricError> {
    check(count, total, confidence)?;
    if total == 0 {
        return Ok(Proportion { count, total, value: None, low: None, high: None });
    }
    let tail = (1.0 - confidence) / 2.0;
    let (hits, misses) = (count as f64, (total - count) as f64);
    let low = if count == 0 { 0.0 } else { beta_quantile(hits, misses + 1.0, tail) };
    let high = if count == total { 1.0 } else { beta_quantile(hits + 1.0, misses, 1.0 - tail) };
    let value = Some(hits / (hits + misses));
    Ok(Proportion { count, total, value, low: Some(low), high: Some(high) })
}

fn check(count: u64, total: u64, confidence: f64) -> Result<(), MetricError> {
    check_confidence(confidence)?;
    if count > total {
        let (option, expected) = ("count", "at most the total");
        return Err(MetricError::Option { option, value: format!("{count} of {total}"), expected });
    }
    Ok(())
}

/// The value up to which lies `part` of the beta distribution, by halving: its distribution
/// function grows, and Newton's steps from a poor start need not end.
fn beta_quantile(a: f64, b: f64, part: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if beta_reg(a, b, middle) < part { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(proportion: Proportion, low: f64, high: f64) {
        let limits = (proportion.low.unwrap(), proportion.high.unwrap());
        assert!((limits.0 - low).abs() < 1e-10, "{limits:?}");
        assert!((limits.1 - high).abs() < 1e-10, "{limits:?}");
    }

    #[test]
    fn known_values() {
        // scipy.stats.binomtest(k, n).proportion_ci(0.95, method), method "wilson" and "exact"
        close(wilson(9, 10, 0.95).unwrap(), 0.5958499732047615, 0.9821237869049271);
        close(clopper_pearson(9, 10, 0.95).unwrap(), 0.5549838829718047, 0.9974714214555375);
        close(wilson(0, 20, 0.95).unwrap(), 0.0, 0.1611251580528193);
        close(clopper_pearson(20, 20, 0.95).unwrap(), 0.8315665290169145, 1.0);
    }

    #[test]
    fn nothing_and_nonsense() {
        assert_eq!(wilson(0, 0, 0.95).unwrap().value, None);
        assert_eq!(clopper_pearson(0, 0, 0.95).unwrap().low, None);
        assert!(wilson(3, 2, 0.95).is_err());
        assert!(clopper_pearson(1, 2, 1.0).is_err());
    }

    #[test]
    fn a_million_items_have_limits() {
        let narrow = clopper_pearson(500_000, 1_000_000, 0.95).unwrap();
        let (low, high) = (narrow.low.unwrap(), narrow.high.unwrap());
        assert!(
            (low - 0.4990195191953118).abs() < 1e-10 && (high - 0.5009804808046883).abs() < 1e-10,
            "{low} {high}"
        );
    }
}
