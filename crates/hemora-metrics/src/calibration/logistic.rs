//! Temperature and Platt scaling: logistic maps of the log-odds.

use crate::MetricError;
use crate::error::{check_probabilities, same_length};

/// Distance that log-odds keep from probabilities 0 and 1, about the precision of an f32 below 1:
/// a probability that was rounded to 1 has no log-odds.
const CLIP: f64 = 1e-7;

/// Temperatures that are looked at: beyond these the data do not determine one.
const HOTTEST: f64 = 1e3;

/// Newton steps of Platt's fit; it needs about ten.
const STEPS: usize = 100;

/// Log-odds of a probability 0–1, at most ±16.
pub fn log_odds(probability: f64) -> f64 {
    let clipped = probability.clamp(CLIP, 1.0 - CLIP);
    clipped.ln() - (-clipped).ln_1p()
}

/// Probability of log-odds.
pub fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The temperature by which log-odds are divided so that the log loss is least (Guo et al., ICML
/// 2017). `None` where no temperature from 0.001 to 1000 is best: of one class, or when the
/// probabilities separate the classes or mislead.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
pub fn fit_temperature(probabilities: &[f64], labels: &[bool]) -> Result<Option<f64>, MetricError> {
    same_length(probabilities, labels)?;
    check_probabilities(probabilities)?;
    if labels.iter().all(|label| *label) || labels.iter().all(|label| !*label) {
        return Ok(None);
    }
    let odds: Vec<f64> = probabilities.iter().map(|&p| log_odds(p)).collect();
    // The loss is convex in 1/T, so its slope changes sign once.
    let slope = |temperature: f64| -> f64 {
        let term = |(&odds, &label): (&f64, &bool)| {
            odds * (sigmoid(odds / temperature) - f64::from(u8::from(label)))
        };
        odds.iter().zip(labels).map(term).sum()
    };
    let (mut cold, mut hot) = (-HOTTEST.ln(), HOTTEST.ln());
    if slope(cold.exp()) <= 0.0 || slope(hot.exp()) >= 0.0 {
        return Ok(None);
    }
    for _ in 0..60 {
        let middle = (cold + hot) / 2.0;
        if slope(middle.exp()) > 0.0 { cold = middle } else { hot = middle }
    }
    Ok(Some(((cold + hot) / 2.0).exp()))
}

/// Slope and intercept on log-odds with the least log loss against Platt's smoothed targets
/// (Platt 1999; Lin, Lin and Weng, Mach Learn 2007;68:267), which keep both finite. `None` of one
/// class, or where all probabilities are equal.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
pub fn fit_platt(
    probabilities: &[f64],
    labels: &[bool],
) -> Result<Option<(f64, f64)>, MetricError> {
    same_length(probabilities, labels)?;
    check_probabilities(probabilities)?;
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Ok(None);
    }
    let targets = [1.0 / (negatives + 2.0), (positives + 1.0) / (positives + 2.0)];
    let items: Vec<(f64, f64)> = probabilities
        .iter()
        .zip(labels)
        .map(|(&p, &label)| (log_odds(p), targets[usize::from(label)]))
        .collect();
    if items.iter().all(|item| item.0 == items[0].0) {
        return Ok(None);
    }
    let loss = |slope: f64, intercept: f64| -> f64 {
        let term = |&(odds, target): &(f64, f64)| {
            let z = slope * odds + intercept;
            // ln(1 + e^z) − t z, without overflow.
            z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z
        };
        items.iter().map(term).sum()
    };
    let (mut slope, mut intercept) = (0.0, ((positives + 1.0) / (negatives + 1.0)).ln());
    let mut current = loss(slope, intercept);
    for _ in 0..STEPS {
        let (mut g1, mut g2, mut h11, mut h12, mut h22) = (0.0, 0.0, 1e-12, 0.0, 1e-12);
        for &(odds, target) in &items {
            let p = sigmoid(slope * odds + intercept);
            let (error, weight) = (p - target, p * (1.0 - p));
            g1 += error * odds;
            g2 += error;
            h11 += weight * odds * odds;
            h12 += weight * odds;
            h22 += weight;
        }
        let determinant = h11 * h22 - h12 * h12;
        let step = [(h22 * g1 - h12 * g2) / determinant, (h11 * g2 - h12 * g1) / determinant];
        if !step.iter().all(|step| step.is_finite()) {
            return Ok(None);
        }
        let mut size = 1.0;
        let next = loop {
            let next = loss(slope - size * step[0], intercept - size * step[1]);
            if next <= current || size < 1e-10 {
                break next;
            }
            size /= 2.0;
        };
        slope -= size * step[0];
        intercept -= size * step[1];
        let moved = (size * step[0]).abs() + (size * step[1]).abs();
        current = next;
        if moved < 1e-12 * (1.0 + slope.abs() + intercept.abs()) {
            break;
        }
    }
    Ok(Some((slope, intercept)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each probability, as many positives among 1000 as it says of log-odds halved.
    fn overconfident() -> (Vec<f64>, Vec<bool>) {
        let (mut probabilities, mut labels) = (Vec::new(), Vec::new());
        for odds in [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0] {
            let positives = (sigmoid(odds / 2.0) * 1000.0).round() as usize;
            for item in 0..1000 {
                probabilities.push(sigmoid(odds));
                labels.push(item < positives);
            }
        }
        (probabilities, labels)
    }

    #[test]
    fn log_odds_that_are_twice_too_large_have_temperature_two() {
        let (probabilities, labels) = overconfident();
        let temperature = fit_temperature(&probabilities, &labels).unwrap().unwrap();
        assert!((temperature - 2.0).abs() < 0.01, "{temperature}");
        let (slope, intercept) = fit_platt(&probabilities, &labels).unwrap().unwrap();
        assert!((slope - 0.5).abs() < 0.01 && intercept.abs() < 0.01, "{slope} {intercept}");
    }

    #[test]
    fn what_the_data_do_not_determine_is_none() {
        assert_eq!(fit_temperature(&[0.1, 0.9], &[true, true]), Ok(None));
        assert_eq!(fit_temperature(&[0.1, 0.9], &[false, true]), Ok(None));
        assert_eq!(fit_temperature(&[0.9, 0.1], &[false, true]), Ok(None));
        assert_eq!(fit_temperature(&[], &[]), Ok(None));
        assert_eq!(fit_platt(&[0.1, 0.2], &[false, false]), Ok(None));
        assert_eq!(fit_platt(&[0.3, 0.3], &[false, true]), Ok(None));
        // Platt's targets keep separable data finite.
        let (slope, _) = fit_platt(&[0.1, 0.9], &[false, true]).unwrap().unwrap();
        assert!(slope.is_finite() && slope > 0.0);
        assert!(fit_platt(&[f64::NAN], &[true]).is_err());
    }

    #[test]
    fn certainty_has_finite_log_odds() {
        assert!((log_odds(1.0) - 16.118).abs() < 1e-3);
        assert!((log_odds(0.0) + log_odds(1.0)).abs() < 1e-8);
        assert!((sigmoid(log_odds(0.3)) - 0.3).abs() < 1e-15);
    }
}
