//! The metrics against scikit-learn, where an interpreter that has it is present.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hemora_eval::{
    Confusion, auroc, auroc_weighted, average_precision, average_precision_weighted, brier,
    competition_log_loss, log_loss,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One line an item on standard input (score, label, weight); one metric a line comes back.
const SCRIPT: &str = r#"
import sys
import numpy as np
from sklearn.metrics import (accuracy_score, average_precision_score, brier_score_loss, log_loss,
                             recall_score, roc_auc_score)
data = np.array([[float(v) for v in line.split()] for line in sys.stdin])
score, label, weight = data[:, 0], data[:, 1].astype(int), data[:, 2]
call = score >= 0.5
rows, truth = score[:len(score) // 6 * 6].reshape(-1, 6), label[:len(label) // 6 * 6].reshape(-1, 6)
clipped = np.clip(rows, 1e-15, 1 - 1e-15)
nats = -(truth * np.log(clipped) + (1 - truth) * np.log1p(-clipped))
for value in (
    roc_auc_score(label, score),
    roc_auc_score(label, score, sample_weight=weight),
    average_precision_score(label, score),
    average_precision_score(label, score, sample_weight=weight),
    log_loss(label, score),
    brier_score_loss(label, score),
    accuracy_score(label, call),
    recall_score(label, call),
    recall_score(1 - label, ~call),
    np.average(nats, axis=1, weights=[1, 1, 1, 1, 1, 2]).mean(),
):
    print(repr(float(value)))
"#;

fn python() -> Option<PathBuf> {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.env/peers/bin/python");
    let python = std::env::var_os("HEMORA_PEERS_PYTHON").map_or(fallback, PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    eprintln!("skipped: {} is not there (set HEMORA_PEERS_PYTHON)", python.display());
    None
}

fn reference(python: &Path, items: &[(f64, bool, f64)]) -> Vec<f64> {
    let mut child = Command::new(python)
        .args(["-W", "error", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for (score, label, weight) in items {
        lines += &format!("{score} {} {weight}\n", u8::from(*label));
    }
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "scikit-learn failed");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn metrics_agree_with_scikit_learn() {
    let Some(python) = python() else { return };
    // Steps between possible scores: none, a few ties, almost all tied.
    for (seed, steps) in [(1, 0.0), (2, 50.0), (3, 4.0)] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let items: Vec<(f64, bool, f64)> = (0..1200)
            .map(|_| {
                let positive = rng.random::<f64>() < 0.2;
                let draw = rng.random::<f64>();
                let score = if positive { draw.sqrt() } else { draw * draw };
                let score = if steps > 0.0 { (score * steps).round() / steps } else { score };
                (score, positive, f64::from(rng.random_range(0..5u8)) * 0.7)
            })
            .collect();
        let expected = reference(&python, &items);
        let scores: Vec<f64> = items.iter().map(|item| item.0).collect();
        let labels: Vec<bool> = items.iter().map(|item| item.1).collect();
        let weights: Vec<f64> = items.iter().map(|item| item.2).collect();
        let counts = Confusion::at(&scores, &labels, 0.5).unwrap();
        let ours = [
            auroc(&scores, &labels).unwrap(),
            auroc_weighted(&scores, &labels, &weights).unwrap(),
            average_precision(&scores, &labels).unwrap(),
            average_precision_weighted(&scores, &labels, &weights).unwrap(),
            log_loss(&scores, &labels).unwrap(),
            brier(&scores, &labels).unwrap(),
            counts.accuracy(),
            counts.sensitivity(),
            counts.specificity(),
            competition_log_loss(scores.as_chunks().0, labels.as_chunks().0).unwrap(),
        ];
        assert_eq!(ours.len(), expected.len());
        for (metric, (value, expected)) in ours.into_iter().zip(expected).enumerate() {
            let value = value.unwrap();
            assert!((value - expected).abs() < 1e-12, "metric {metric}: {value} {expected}");
        }
    }
}
