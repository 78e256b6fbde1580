//! Weights and images by formula, and the figures that timm, PyTorch and Keras gave for them.
//! tools/parity_truth.py has the formulas in words.

use hemora_nn::networks::{SequenceOptions, build_sequence};
use hemora_nn::{Graph, GraphBuilder, Gru, Init, Op, SliceConv, Tensor, Weights};
use serde_json::Value;

use crate::shared::workspace;

/// What a fixture holds.
pub fn fixture(name: &str) -> Value {
    let path = workspace().join("crates/hemora-train/tests/fixtures").join(name);
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
#[allow(dead_code, reason = "each test takes what it needs")]
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

/// Slices `[count, length, columns]` of tools/parity_sequence.py.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn slice_values(count: usize, length: usize, columns: usize) -> Vec<f32> {
    let mut values = Vec::new();
    for n in 0..count {
        for k in 0..length * columns {
            values.push((0.37 * k as f64 + 0.5 * n as f64).sin() as f32);
        }
    }
    values
}

/// The graph behind `sequence_NAME.json`.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn sequence_graph(name: &str) -> Graph {
    let alone = |columns: usize, ops: &[(&str, Op)]| {
        let (mut builder, mut last) = GraphBuilder::new(name, [columns, 0, 1]).unwrap();
        for (name, op) in ops {
            last = builder.add(name, *op, &[last]).unwrap();
        }
        builder.finish()
    };
    let network = |name: &str, columns: usize| {
        let options = SequenceOptions { dropout: 0.0, ..SequenceOptions::new(columns) };
        build_sequence(name, &options).unwrap().unwrap()
    };
    let init = Init::TorchUniform;
    let conv = SliceConv { channels: 4, kernel: 5, dilation: 3, bias: true, init };
    match name {
        "gru" => alone(3, &[("gru", Op::Gru(Gru { hidden: 5, layers: 2 }))]),
        "conv" => {
            alone(6, &[("labels", Op::Columns { columns: 2 }), ("conv", Op::SliceConv(conv))])
        }
        "features" => network("sequence-features", 20),
        "transformer" => network("sequence-transformer", 21),
        "probabilities" => network("sequence-probabilities", 30),
        other => panic!("no graph for {other}"),
    }
}
