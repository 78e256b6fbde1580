//! Weights and images by formula, and the figures that timm, PyTorch and Keras gave for them.
//! tools/parity_truth.py has the formulas in words.

use std::path::Path;

use hemora_nn::{Graph, Tensor, Weights};
use serde_json::Value;

/// What a fixture holds.
pub fn fixture(name: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../hemora-train/tests/fixtures").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The IEEE CRC-32 of zlib.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    })
}

fn formula(name: &str, shape: &[usize]) -> Vec<f32> {
    let fan_in = shape.iter().skip(1).product::<usize>() as f64;
    let (base, scale) = if name.ends_with(".running_mean") {
        (0.0, 0.1)
    } else if name.ends_with(".running_var") {
        (1.25, 0.25)
    } else if name.ends_with(".bias") {
        (0.0, 0.05)
    } else if shape.len() == 1 {
        (1.0, 0.1)
    } else if ["predictions.weight", "fc.weight"].contains(&name) {
        (0.0, (0.03 / fan_in).sqrt())
    } else {
        (0.0, (6.0 / fan_in).sqrt())
    };
    let seed = crc32(name.as_bytes());
    (0..shape.iter().product::<usize>() as u32)
        .map(|k| {
            let mut h = k.wrapping_mul(0x9E37_79B9).wrapping_add(seed);
            h ^= h >> 16;
            h = h.wrapping_mul(0x85EB_CA6B);
            h ^= h >> 13;
            h = h.wrapping_mul(0xC2B2_AE35);
            h ^= h >> 16;
            (base + scale * (f64::from(h) / 2f64.powi(31) - 1.0)) as f32
        })
        .collect()
}

/// Images `[count, 3, size, size]`.
pub fn image_values(count: usize, size: usize) -> Vec<f32> {
    let mut values = Vec::new();
    for n in 0..count {
        for c in 0..3 {
            for k in 0..size * size {
                values.push((0.01 * k as f64 + c as f64 + 0.5 * n as f64).sin() as f32);
            }
        }
    }
    values
}

/// The numbers of nested lists, one after the other.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// Every parameter by its formula.
pub fn formula_weights(graph: &Graph) -> Weights {
    let mut weights = Weights::default();
    for parameter in graph.parameters() {
        let values = formula(&parameter.name, &parameter.shape);
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    weights
}
