//! Key slices of a model whose networks give maps: those of the scoring, without a second look.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_ct::LABEL_COUNT;
use hemora_infer::{
    Engine, EngineError, FeatureMap, LoadedModel, Output, Pictures, Triage, TriageInput, key_slices,
};
use hemora_model::{Bundle, Member, ModelInfo};

use crate::slabs::phantom;
use crate::support::{info, member};

/// The probability of each label is the mean brightness of its band of rows, and its map the columns' brightness
/// there. Counts how often it is asked.
struct Bands(Arc<AtomicUsize>);

impl Engine for Bands {
    fn name(&self) -> &'static str {
        "bands"
    }

    fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let band = input.len() / LABEL_COUNT;
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        let grey: Vec<f32> = input.iter().map(|value| (value + 1.0) / 2.0).collect();
        let bands = || grey.chunks_exact(band);
        let mut probabilities = [0.0; LABEL_COUNT];
        probabilities.iter_mut().zip(bands()).for_each(|(to, band)| *to = mean(band));
        let values = bands().flat_map(|band| band.chunks(band.len().div_ceil(4)).map(mean));
        let maps =
            FeatureMap { channels: LABEL_COUNT, rows: 2, columns: 2, values: values.collect() };
        Ok(Output { probabilities, features: None, maps: Some(maps) })
    }
}

#[test]
fn a_network_that_gives_maps_is_asked_once_for_each_slice_or_slab() {
    for (spacing, slab_mm) in [(5.0, None), (0.625, Some(5.0))] {
        let folder = tempfile::tempdir().unwrap();
        let collection = phantom(folder.path(), spacing);
        let info = ModelInfo { members: vec![Member { slab_mm, ..member() }], ..info() };
        let path = folder.path().join("bands.hemora");
        let bundle = Bundle::write(&path, &info, b"no network".to_vec(), "# Card\n").unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let model = LoadedModel::with_engine(bundle, Box::new(Bands(Arc::clone(&asked))), None);
        let pictures = Pictures { studies: 1, slices: 3 };
        let triage = Triage { pictures, ..Triage::new(&model) };
        let go_on = |_| ControlFlow::Continue(());
        let output = triage.run(TriageInput::Collection(&collection), &go_on).unwrap();
        let study = &output.result.studies[0];
        let mut scored: Vec<_> =
            study.series[0].slices.iter().map(|it| it.probabilities.to_array()).collect();
        // Slices of one slab have the same probabilities; above the head all are of air.
        scored.dedup();
        let asked_once = asked.swap(0, Ordering::Relaxed);
        let slices = study.series[0].slices.len();
        let slabs = if slab_mm.is_some() { slices.div_ceil(8) } else { slices };
        assert!(asked_once <= slabs && asked_once >= scored.len(), "{asked_once} of {slabs}");

        // A second look says the same.
        let again = key_slices(&model, &collection, study, 3);
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        assert_eq!(output.key_slices.len(), 3);
        for (key, again) in output.key_slices.iter().zip(&again) {
            assert_eq!((key.index, &key.slice), (again.index, &again.slice));
            assert!(key.any_map.is_some() && key.subtype_map.is_some());
            assert_eq!((&key.any_map, &key.subtype_map), (&again.any_map, &again.subtype_map));
        }
    }
}
