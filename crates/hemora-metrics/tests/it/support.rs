//! Random items, and scripts that compute their reference with Python.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Items with two models' scores.
pub struct Items {
    pub scores: Vec<f64>,
    pub others: Vec<f64>,
    pub labels: Vec<bool>,
    pub weights: Vec<f64>,
    pub groups: Vec<u32>,
}

/// Random items whose scores are rounded to `steps` steps (0 for none), so that they tie.
pub fn items(seed: u64, count: usize, steps: f64) -> Items {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut items = Items {
        scores: Vec::new(),
        others: Vec::new(),
        labels: Vec::new(),
        weights: Vec::new(),
        groups: Vec::new(),
    };
    let round = |score: f64| if steps > 0.0 { (score * steps).round() / steps } else { score };
    for item in 0..count {
        let positive = rng.random::<f64>() < 0.2;
        let draw = rng.random::<f64>();
        let score = if positive { draw.sqrt() } else { draw * draw };
        items.scores.push(round(score));
        items.others.push(round((score + rng.random::<f64>()) / 2.0));
        items.labels.push(positive);
        items.weights.push(f64::from(rng.random_range(0..5u8)) * 0.7);
        items.groups.push((item / 7) as u32);
    }
    items
}

/// Runs `script` on the items (a line each on standard input: score, label, weight, other score,
/// group) and reads the JSON object of its results; `None` without an interpreter.
pub fn reference(script: &str, items: &Items) -> Option<BTreeMap<String, Vec<f64>>> {
    let python = hemora_testing::python()?;
    let mut child = Command::new(python)
        .args(["-W", "error", "-c", &format!("{HEAD}{script}{TAIL}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for item in 0..items.scores.len() {
        let label = u8::from(items.labels[item]);
        let (score, other) = (items.scores[item], items.others[item]);
        lines +=
            &format!("{score} {label} {} {other} {}\n", items.weights[item], items.groups[item]);
    }
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the reference failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

const HEAD: &str = r#"
import json, sys
import numpy as np
data = np.array([[float(v) for v in line.split()] for line in sys.stdin])
score, label, weight, other = data[:, 0], data[:, 1].astype(int), data[:, 2], data[:, 3]
group = data[:, 4].astype(int)
result = {}
"#;

const TAIL: &str = r#"
print(json.dumps({k: [float(x) for x in np.atleast_1d(v)] for k, v in result.items()}))
"#;

/// Fails unless `ours` is the reference called `name`, to `tolerance`.
pub fn same(reference: &BTreeMap<String, Vec<f64>>, name: &str, ours: &[f64], tolerance: f64) {
    let expected = &reference[name];
    assert_eq!(ours.len(), expected.len(), "{name}");
    for (value, expected) in ours.iter().zip(expected) {
        assert!((value - expected).abs() < tolerance, "{name}: {value} {expected}");
    }
}
