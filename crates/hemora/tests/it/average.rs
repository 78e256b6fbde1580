//! `hemora model average`: several networks' weights to their mean, and its bundle.

use std::collections::HashMap;
use std::path::Path;

use hemora_ct::Label;
use hemora_model::{Bundle, Estimate, LabelValidation, SliceNetwork};
use hemora_nn::{Tensor, Weights};

use crate::support::{ABOUT, hemora, refused, succeed, trained, weights};

/// A network all of whose weights are `value`, with the figures of its run.
fn write(path: &str, network: &str, size: usize, value: f32) {
    let auroc = Estimate { value: Some(0.5), low: Some(0.1), high: Some(0.9) };
    let row = LabelValidation { label: Label::Any, images: 9, groups: 9, positives: 4, auroc };
    let trained = SliceNetwork { validation: vec![row], ..trained(network, size, Some(2)) };
    std::fs::write(path, weights(&trained, value)).unwrap();
}

#[test]
fn a_mean_has_no_figures_of_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, value) in [("a", 0.5), ("b", -1.0), ("c", 2.0)] {
        write(&path(name), "deep-cnn", 32, value);
    }
    let out = path("mean.safetensors");
    let printed = succeed(&["model", "average", &path("a"), &path("b"), &path("c"), "--out", &out]);
    assert!(printed.contains("the mean of 3 networks deep-cnn"), "{printed}");
    let bytes = std::fs::read(&out).unwrap();
    let mean = Weights::from_safetensors(&bytes).unwrap();
    assert!(mean.iter().count() > 4);
    for (name, tensor) in mean.iter() {
        assert!(tensor.values.iter().all(|value| (value - 0.5).abs() < 1e-7), "{name}");
    }
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    let (about, bundle) = (path("about.toml"), path("mean.hemora"));
    succeed(&["model", "bundle", &out, "--about", &about, "--out", &bundle]);
    let bundle = Bundle::open(bundle.as_ref()).unwrap();
    assert!(bundle.info().metrics.is_empty());
    assert!(bundle.card().contains("the mean of 3 networks' weights"), "{}", bundle.card());
    assert!(!bundle.card().contains("| label |"), "{}", bundle.card());
}

#[test]
fn networks_that_have_no_mean_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    write(&path("a"), "deep-cnn", 32, 0.5);
    write(&path("other"), "simple-nn", 32, 0.5);
    write(&path("larger"), "deep-cnn", 48, 0.5);
    write(&path("infinite"), "deep-cnn", 32, f32::INFINITY);
    std::fs::write(path("text"), "no weights").unwrap();
    let mut plain = Weights::default();
    plain.insert("weight", Tensor { shape: vec![1], values: vec![0.5] });
    std::fs::write(path("plain"), plain.to_safetensors(HashMap::new()).unwrap()).unwrap();
    let out = path("mean.safetensors");
    for (file, words) in [
        ("other", "another network"),
        ("larger", "another input"),
        ("text", "not a safetensors file"),
        ("plain", "no entry `hemora`"),
        ("absent", "absent"),
    ] {
        let message = refused(&["model", "average", &path("a"), &path(file), "--out", &out]);
        assert!(message.contains(words) && message.contains(file), "{file}: {message}");
        assert!(!Path::new(&out).exists(), "{file}");
    }
    // One alone is no mean.
    assert_eq!(hemora(&["model", "average", &path("a"), "--out", &out]).status.code(), Some(2));
    // What a run cannot have left is refused where a bundle is made of it.
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    succeed(&["model", "average", &path("a"), &path("infinite"), "--out", &out]);
    let (about, bundle) = (path("about.toml"), path("mean.hemora"));
    let message = refused(&["model", "bundle", &out, "--about", &about, "--out", &bundle]);
    assert!(message.contains("not finite"), "{message}");
}
