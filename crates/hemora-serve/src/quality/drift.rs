//! Whether the probabilities of studies are spread as they were.

use std::collections::HashSet;

use hemora_store::{Class, QualityRow};

use crate::http::types::Drift;

/// Studies that others are compared with: the first of the present model here. A bundle says how good its
/// model is, and not how the probabilities of a site's studies are spread.
pub(crate) const REFERENCE: usize = 200;

/// With fewer studies on either side nothing is said.
const FEWEST: usize = 50;

/// Bins of equal width from 0 to 1.
const BINS: usize = 10;

/// From here on a change is called moderate, and large (Siddiqi, Credit Risk Scorecards, 2006).
const MODERATE: f64 = 0.1;
const LARGE: f64 = 0.25;

/// The 95 % point of χ² with one degree of freedom less than there are bins: without any drift the index
/// times nm/(n + m) is spread so (Yurdakul, Statistical Properties of Population Stability Index, 2018).
const CHI_SQUARE: f64 = 16.919;

/// How the probabilities of `rows` differ from those of the studies that their model scored `first`; `None`
/// with too few of either.
pub(super) fn drift(rows: &[QualityRow], first: &[(String, f64)]) -> Option<Drift> {
    let model = &rows.last()?.model_sha256;
    let reference: HashSet<&str> = first.iter().map(|(study, _)| study.as_str()).collect();
    let others = rows.iter().filter(|row| row.class != Class::NotScored);
    let others = others.filter(|row| row.model_sha256 == *model);
    let others = others.filter(|row| !reference.contains(row.study_uid.as_str()));
    let observed: Vec<f64> = others.filter_map(|row| row.probability).collect();
    let expected: Vec<f64> = first.iter().map(|(_, probability)| *probability).collect();
    if expected.len() < FEWEST || observed.len() < FEWEST {
        return None;
    }
    let (expected_shares, observed_shares) = (shares(&expected), shares(&observed));
    let bins: Vec<[f64; 2]> =
        expected_shares.into_iter().zip(observed_shares).map(|(a, b)| [a, b]).collect();
    let counts = [expected.len() as f64, observed.len() as f64];
    let psi = index(&bins, counts);
    let by_chance = CHI_SQUARE * (1.0 / counts[0] + 1.0 / counts[1]);
    Some(Drift {
        reference: format!("the first {} studies that this model scored here", expected.len()),
        reference_studies: expected.len() as u64,
        studies: observed.len() as u64,
        psi,
        meaning: meaning(psi, by_chance),
        bins,
    })
}

fn shares(values: &[f64]) -> [f64; BINS] {
    let mut counts = [0u64; BINS];
    for value in values {
        counts[((value * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    counts.map(|count| count as f64 / values.len() as f64)
}

/// The population stability index. A bin without studies counts as half a one, since the logarithm of
/// nothing has no end.
fn index(bins: &[[f64; 2]], counts: [f64; 2]) -> f64 {
    let term = |&[expected, observed]: &[f64; 2]| {
        if expected == 0.0 && observed == 0.0 {
            return 0.0;
        }
        let expected = expected.max(0.5 / counts[0]);
        let observed = observed.max(0.5 / counts[1]);
        (observed - expected) * (observed / expected).ln()
    };
    bins.iter().map(term).sum()
}

fn meaning(psi: f64, by_chance: f64) -> String {
    let size = match psi {
        psi if psi < MODERATE => "no change worth naming",
        psi if psi < LARGE => "a moderate change",
        _ => "a large change: look at which scanners, protocols and patients are new",
    };
    match psi >= MODERATE && psi < by_chance {
        true => format!(
            "{size} by the usual bounds ({MODERATE} and {LARGE}), but with so few studies chance alone makes up to \
             {by_chance:.2}"
        ),
        false => format!("{size} (bounds {MODERATE} and {LARGE})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::row;
    use super::*;

    fn rows(from: usize, probabilities: &[f64]) -> Vec<QualityRow> {
        let numbered = probabilities.iter().enumerate();
        numbered.map(|(at, value)| row(from + at, Class::Negative, *value)).collect()
    }

    fn first(count: usize, value: impl Fn(usize) -> f64) -> Vec<(String, f64)> {
        (0..count).map(|at| (format!("1.2.{at}"), value(at))).collect()
    }

    #[test]
    fn the_index_is_that_of_its_definition() {
        // Half and half, then a quarter and three quarters.
        let reference = first(200, |at| if at % 2 == 0 { 0.05 } else { 0.95 });
        let later: Vec<f64> = (0..400).map(|at| if at % 4 == 0 { 0.05 } else { 1.0 }).collect();
        let drift = drift(&rows(1000, &later), &reference).unwrap();
        let expected = (0.25f64 - 0.5) * (0.25f64 / 0.5).ln() + (0.75 - 0.5) * (0.75f64 / 0.5).ln();
        assert!((drift.psi - expected).abs() < 1e-12, "{}", drift.psi);
        assert_eq!((drift.reference_studies, drift.studies), (200, 400));
        assert_eq!((drift.bins[0], drift.bins[9]), ([0.5, 0.25], [0.5, 0.75]));
        assert!(drift.meaning.starts_with("a large change"), "{}", drift.meaning);
        assert!(!drift.meaning.contains("chance"), "{}", drift.meaning);
    }

    #[test]
    fn nothing_is_said_of_few_studies_nor_of_those_compared_with() {
        let reference = first(60, |_| 0.05);
        assert!(drift(&rows(1000, &[0.05; 49]), &reference).is_none());
        assert!(drift(&rows(0, &[0.05; 60]), &reference).is_none(), "the same studies");
        assert!(drift(&rows(1000, &[0.05; 60]), &first(49, |_| 0.05)).is_none());
        let mut other = rows(1000, &[0.05; 60]);
        other[59].model_sha256 = "another".to_owned();
        assert!(drift(&other, &reference).is_none(), "the newest model scored one study");
        let same = drift(&rows(1000, &[0.05; 60]), &reference).unwrap();
        assert_eq!(same.psi, 0.0);
        assert!(same.meaning.starts_with("no change"), "{}", same.meaning);
    }

    #[test]
    fn what_chance_makes_is_called_so() {
        let reference = first(50, |at| if at < 25 { 0.05 } else { 0.15 });
        let later: Vec<f64> = (0..50).map(|at| if at < 17 { 0.05 } else { 0.15 }).collect();
        let drift = drift(&rows(1000, &later), &reference).unwrap();
        assert!(drift.psi > MODERATE, "{}", drift.psi);
        assert!(drift.meaning.contains("chance alone"), "{}", drift.meaning);
    }
}
