//! How often 95 % intervals hold the truth, by simulation. A benchmark more than a test:
//! `cargo test --release -p hemora-metrics --test it coverage -- --ignored --nocapture`.

use hemora_metrics::{
    BootstrapMethod, BootstrapOptions, ClusteredRanking, Clusters, bootstrap_counts, delong,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const SETS: u64 = 1000;
const PATIENTS: usize = 100;
const SLICES: usize = 6;
/// Distance of positives from negatives, and spread of patients and of slices.
const DISTANCE: f64 = 2.0;
const BETWEEN: f64 = 0.8;
const WITHIN: f64 = 0.9;

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    // Box and Muller.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// Area below a normal density up to `z`, by Simpson's rule from −8.
fn area(z: f64) -> f64 {
    let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let (steps, low) = (2000, -8.0);
    let width = (z - low) / f64::from(steps);
    let term = |step: i32| {
        let factor = match step {
            0 => 1.0,
            step if step == steps => 1.0,
            step if step % 2 == 1 => 4.0,
            _ => 2.0,
        };
        factor * density(low + width * f64::from(step))
    };
    (0..=steps).map(term).sum::<f64>() * width / 3.0
}

/// The AUROC that is estimated: most pairs are of two patients, some of one.
fn truth() -> f64 {
    let items = (PATIENTS * SLICES) as f64;
    let same = (SLICES as f64 - 1.0) / (items - 1.0);
    let apart = area(DISTANCE / (2.0 * (BETWEEN * BETWEEN + WITHIN * WITHIN)).sqrt());
    (1.0 - same) * apart + same * area(DISTANCE / (2.0 * WITHIN * WITHIN).sqrt())
}

/// Whether each interval of one simulated set holds the truth: percentile, BCa, DeLong by patient,
/// DeLong by slice, percentile by slice.
fn covers(seed: u64, truth: f64) -> [usize; 5] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut scores, mut labels, mut patients) = (Vec::new(), Vec::new(), Vec::new());
    for patient in 0..PATIENTS {
        let shared = BETWEEN * normal(&mut rng);
        // Patients with hemorrhage have it in most slices, as in the data.
        let share = if patient % 3 == 0 { 0.7 } else { 0.05 };
        for _ in 0..SLICES {
            let label = rng.random::<f64>() < share;
            let signal = if label { DISTANCE } else { 0.0 };
            scores.push(signal + shared + WITHIN * normal(&mut rng));
            labels.push(label);
            patients.push(patient);
        }
    }
    let by_patient = Clusters::new(&patients);
    let by_slice = Clusters::alone(scores.len());
    let holds = |low: Option<f64>, high: Option<f64>| {
        usize::from(low.is_some_and(|low| low <= truth) && high.is_some_and(|high| truth <= high))
    };
    let bootstrap = |clusters: &Clusters, method| {
        let ranking = ClusteredRanking::new(&scores, &labels, clusters).unwrap();
        let options = BootstrapOptions { repeats: 1000, seed, method, ..Default::default() };
        let (intervals, _) = bootstrap_counts(clusters, &options, 1, |counts, values| {
            values[0] = ranking.auroc_and_precision(counts).0;
        })
        .unwrap();
        holds(intervals[0].low, intervals[0].high)
    };
    let analytic = |clusters| {
        let result = delong(&scores, &labels, clusters, 0.95).unwrap();
        holds(result.low, result.high)
    };
    [
        bootstrap(&by_patient, BootstrapMethod::Percentile),
        bootstrap(&by_patient, BootstrapMethod::Bca),
        analytic(Some(&by_patient)),
        analytic(None),
        bootstrap(&by_slice, BootstrapMethod::Percentile),
    ]
}

#[test]
#[ignore = "a benchmark of minutes"]
fn intervals_by_patient_hold_the_truth_and_those_by_slice_do_not() {
    let truth = truth();
    let sums = (0..SETS)
        .into_par_iter()
        .map(|seed| covers(seed, truth))
        .reduce(|| [0; 5], |one, other| std::array::from_fn(|at| one[at] + other[at]));
    let shares = sums.map(|sum| sum as f64 / SETS as f64);
    let [percentile, bca, clustered, plain, by_slice] = shares;
    println!("AUROC {truth:.4}; coverage of 95 % intervals in {SETS} sets:");
    println!("by patient: percentile {percentile}, BCa {bca}, DeLong (Obuchowski) {clustered}");
    println!("by slice: percentile {by_slice}, DeLong {plain}");
    for share in [percentile, bca, clustered] {
        assert!((0.93..=0.97).contains(&share), "{shares:?}");
    }
    assert!(plain < 0.93 && by_slice < 0.93, "{shares:?}");
}
