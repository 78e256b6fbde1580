//! A memory of what networks predicted: an input that was seen before costs a look-up.

use std::sync::Arc;

use hemora_ct::LABEL_COUNT;
use sha2::{Digest, Sha256};

use super::{Engine, EngineError, FeatureMap, Output};

/// Where outputs are kept, by the SHA-256 of network, engine and input. May be used by any number of
/// threads; what cannot be kept is forgotten, and computed again.
pub trait OutputMemory: Send + Sync {
    /// What was put under this key, if it is still there.
    fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>>;

    /// Keeps `output` under a key.
    fn put(&self, key: &[u8; 32], output: &[u8]);
}

/// An engine that asks a memory first. Outputs with maps are kept, exactly, but for the last feature map,
/// which takes ten times as much; others are not, since who has no maps reads the features.
pub(crate) struct RememberingEngine {
    engine: Box<dyn Engine>,
    memory: Arc<dyn OutputMemory>,
    /// Fed with the network and the engine.
    begun: Sha256,
}

impl RememberingEngine {
    /// `network` is the ONNX model that `engine` runs.
    pub(crate) fn new(
        engine: Box<dyn Engine>,
        network: &[u8],
        memory: Arc<dyn OutputMemory>,
    ) -> Self {
        let mut begun = Sha256::new();
        begun.update(Sha256::digest(network));
        begun.update(engine.name());
        Self { engine, memory, begun }
    }

    fn key(&self, input: &[f32]) -> [u8; 32] {
        let mut hash = self.begun.clone();
        let bytes: Vec<u8> = input.iter().flat_map(|value| value.to_le_bytes()).collect();
        hash.update(bytes);
        hash.finalize().into()
    }
}

impl Engine for RememberingEngine {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
        let key = self.key(input);
        if let Some(output) = self.memory.get(&key).and_then(|bytes| decode(&bytes)) {
            return Ok(output);
        }
        let output = self.engine.run(input)?;
        if let Some(maps) = &output.maps {
            self.memory.put(&key, &encode(&output.probabilities, maps));
        }
        Ok(output)
    }
}

/// Rows and columns of the maps, the probabilities, the maps; little endian.
fn encode(probabilities: &[f32; LABEL_COUNT], maps: &FeatureMap) -> Vec<u8> {
    let sizes = [maps.rows as u32, maps.columns as u32];
    let mut bytes: Vec<u8> = sizes.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(probabilities.iter().chain(&maps.values).flat_map(|value| value.to_le_bytes()));
    bytes
}

/// `None` for bytes that are nothing of [`encode`].
fn decode(bytes: &[u8]) -> Option<Output> {
    let (&[a, b, c, d, e, f, g, h], rest) = bytes.split_first_chunk::<8>()?;
    let [rows, columns] = [[a, b, c, d], [e, f, g, h]].map(|it| u32::from_le_bytes(it) as usize);
    let (chunks, []) = rest.as_chunks::<4>() else { return None };
    let values: Vec<f32> = chunks.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
    let (&probabilities, values) = values.split_first_chunk::<LABEL_COUNT>()?;
    let fills = rows.checked_mul(columns)?.checked_mul(LABEL_COUNT)? == values.len();
    let sound = probabilities.iter().chain(values).all(|value| (0.0..=1.0).contains(value));
    let maps = FeatureMap { channels: LABEL_COUNT, rows, columns, values: values.to_vec() };
    (fills && sound && !values.is_empty()).then_some(Output {
        probabilities,
        features: None,
        maps: Some(maps),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<BTreeMap<[u8; 32], Vec<u8>>>);

    impl OutputMemory for Kept {
        fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(key).cloned()
        }

        fn put(&self, key: &[u8; 32], output: &[u8]) {
            self.0.lock().unwrap().insert(*key, output.to_vec());
        }
    }

    struct Counting(Arc<AtomicUsize>);

    impl Engine for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }

        fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let values = (0..12).map(|at| at as f32 / 12.0).collect();
            let maps = FeatureMap { channels: 6, rows: 1, columns: 2, values };
            Ok(Output { probabilities: [input[0]; 6], features: None, maps: Some(maps) })
        }
    }

    #[test]
    fn an_input_is_run_once_for_each_network() {
        let (runs, memory) = (Arc::new(AtomicUsize::new(0)), Arc::new(Kept::default()));
        let engine = |network: &[u8]| {
            let counting = Box::new(Counting(Arc::clone(&runs)));
            RememberingEngine::new(counting, network, Arc::clone(&memory) as _)
        };
        let one = engine(b"one");
        let first = one.run(&[0.25, 0.5]).unwrap();
        assert_eq!(one.run(&[0.25, 0.5]).unwrap(), first);
        assert_eq!(engine(b"one").run(&[0.25, 0.5]).unwrap(), first);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        one.run(&[0.25, 0.75]).unwrap();
        engine(b"two").run(&[0.25, 0.5]).unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn what_is_no_output_is_computed_again() {
        let maps = FeatureMap { channels: 6, rows: 1, columns: 1, values: vec![0.5; 6] };
        let bytes = encode(&[0.5; 6], &maps);
        let output = Output { probabilities: [0.5; 6], features: None, maps: Some(maps) };
        assert_eq!(decode(&bytes), Some(output));
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), None, "{cut}");
        }
        let mut wrong = bytes.clone();
        wrong[8..12].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(decode(&wrong), None);
        let mut wrong = bytes;
        wrong[..8].fill(0xFF);
        assert_eq!(decode(&wrong), None);
    }
}
