//! Which quantiles of the resamples an interval takes.

use crate::normal;

/// Which parts of the ascending resamples BCa takes as limits.
pub(crate) fn bca_parts(
    value: f64,
    sorted: &[f64],
    jackknife: &[Option<f64>],
    tail: f64,
) -> Option<[f64; 2]> {
    let (Some(&lowest), Some(&highest)) = (sorted.first(), sorted.last()) else { return None };
    if lowest == highest && lowest == value {
        return Some([tail, 1.0 - tail]);
    }
    let below = sorted.partition_point(|sample| *sample < value);
    let same = sorted[below..].partition_point(|sample| *sample <= value);
    // Ties count half: a metric of few items takes few values.
    let bias = normal::quantile((below as f64 + same as f64 / 2.0) / sorted.len() as f64);
    if !bias.is_finite() {
        return None;
    }
    let left: Vec<f64> = jackknife.iter().copied().flatten().collect();
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    let sum = |power| left.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    let spread = sum(2);
    let acceleration = if spread > 0.0 { sum(3) / (6.0 * spread.powf(1.5)) } else { 0.0 };
    let part = |z: f64| {
        let shifted = bias + z;
        normal::cumulative(bias + shifted / (1.0 - acceleration * shifted))
    };
    let parts = [normal::quantile(tail), normal::quantile(1.0 - tail)].map(part);
    parts.iter().all(|part| part.is_finite()).then_some(parts)
}

/// Quantile of ascending values, linear between neighbours; `None` without values.
pub fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = part * last as f64;
    let (low, high) = (at.floor() as usize, (at.ceil() as usize).min(last));
    Some(sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])
        let values = [1.0, 2.0, 4.0, 8.0];
        for (part, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&values, part).unwrap() - expected).abs() < 1e-12);
        }
    }
}
