//! A recipe of a prepared set, as TOML, and an image made with it.
#![no_main]

use hemora_ct::{HuCounts, Plane};
use hemora_data::{PrepareRecipe, Renderer};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let path = file("recipe.toml", data);
    let Ok(recipe) = PrepareRecipe::open(path.to_str().expect("a plain path")) else { return };
    // What a recipe may ask for takes long at its largest.
    let large = |side: Option<usize>| side.is_some_and(|side| side > 64);
    if large(recipe.canvas) || large(recipe.size) {
        return;
    }
    let values: Vec<f32> = (0..16 * 16).map(|value| (value * 7 % 300) as f32 - 100.0).collect();
    let slice = Plane { rows: 16, columns: 16, values };
    let sample = || {
        let mut counts = HuCounts::default();
        counts.add(&slice.values);
        Ok(counts)
    };
    if let Ok(renderer) = Renderer::new(recipe, sample) {
        let _ = renderer.jpeg(&slice, |_| &slice);
        let (hu, [rows, columns]) = renderer.hu(&slice);
        assert_eq!(hu.len(), rows * columns);
    }
});
