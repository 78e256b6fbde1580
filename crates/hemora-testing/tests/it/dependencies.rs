//! What depends on what: the invariants of ARCHITECTURE.md, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Libraries that hold libtorch.
const LIBTORCH: [&str; 2] = ["tch", "torch-sys"];

/// Libraries that run networks for inference.
const ENGINES: [&str; 6] =
    ["ort", "tract-core", "tract-nnef", "tract-onnx", "tract-onnx-opl", "tract-hir"];

/// Each crate of the workspace with what it depends on, test dependencies left out.
struct Dependencies(BTreeMap<String, BTreeSet<String>>);

impl Dependencies {
    fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
            .output()
            .expect("cargo runs this test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let name = |value: &serde_json::Value| value["name"].as_str().unwrap().to_owned();
        let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
        let needs = |package: &serde_json::Value| {
            let all = list(&package["dependencies"]).into_iter();
            all.filter(|it| it["kind"] != "dev").map(|it| name(&it)).collect()
        };
        let packages = list(&metadata["packages"]);
        Self(packages.iter().map(|package| (name(package), needs(package))).collect())
    }

    /// What a crate depends on, directly or through crates of the workspace.
    fn reached(&self, from: &str) -> BTreeSet<String> {
        assert!(self.0.contains_key(from), "there is no crate {from}");
        let mut reached = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(name) = open.pop() {
            for next in self.0.get(&name).into_iter().flatten() {
                if reached.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        reached
    }

    /// The crates that reach one of `libraries`.
    fn that_reach(&self, libraries: &[&str]) -> BTreeSet<&str> {
        let reaches = |name: &&str| libraries.iter().any(|it| self.reached(name).contains(*it));
        self.0.keys().map(String::as_str).filter(reaches).collect()
    }

    /// The crates that themselves depend on one of `libraries`.
    fn that_need(&self, libraries: &[&str]) -> BTreeSet<&str> {
        let need = |needs: &BTreeSet<String>| libraries.iter().any(|it| needs.contains(*it));
        self.0.iter().filter(|(_, needs)| need(needs)).map(|(name, _)| name.as_str()).collect()
    }
}

#[test]
fn only_training_links_libtorch() {
    let dependencies = Dependencies::read();
    assert_eq!(dependencies.that_reach(&LIBTORCH), ["hemora-c10d", "hemora-train"].into());
}

#[test]
fn only_inference_knows_the_engines() {
    let dependencies = Dependencies::read();
    assert_eq!(dependencies.that_need(&ENGINES), ["hemora-infer"].into());
    // Whoever else reads a result or makes a bundle links no engine.
    assert_eq!(
        dependencies.that_reach(&ENGINES),
        ["hemora", "hemora-archive", "hemora-infer", "hemora-serve"].into()
    );
}

#[test]
fn the_base_crates_neither_read_scans_nor_run_networks() {
    let dependencies = Dependencies::read();
    for name in ["hemora-base", "hemora-ct", "hemora-nn", "hemora-metrics"] {
        let reached = dependencies.reached(name);
        let beyond = |it: &&String| {
            let library = it.as_str();
            library == "hemora-io" || ENGINES.contains(&library) || LIBTORCH.contains(&library)
        };
        let beyond: Vec<&String> = reached.iter().filter(beyond).collect();
        assert!(beyond.is_empty(), "{name} reaches {beyond:?}");
    }
}

/// The crates from the foundations to the programs: each may depend on those before it alone.
const ORDER: [&str; 25] = [
    "hemora-base",
    "hemora-objects",
    "hemora-ct",
    "hemora-nn",
    "hemora-metrics",
    "hemora-page",
    "hemora-io",
    "hemora-synth",
    "hemora-model",
    "hemora-data",
    "hemora-report",
    "hemora-evaluation",
    "hemora-infer",
    "hemora-archive",
    "hemora-bundling",
    "hemora-experiment",
    "hemora-dimse",
    "hemora-interop",
    "hemora-store",
    "hemora-serve",
    "hemora-c10d",
    "hemora-train",
    "hemora",
    "hemora-testing",
    "xtask",
];

#[test]
fn dependencies_point_from_the_programs_to_the_foundations() {
    let dependencies = Dependencies::read();
    let known: BTreeSet<&str> = ORDER.into();
    assert_eq!(dependencies.0.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for (name, needs) in &dependencies.0 {
        let rank = |name: &str| ORDER.iter().position(|it| *it == name);
        for need in needs.iter().filter(|need| known.contains(need.as_str())) {
            assert!(rank(need) < rank(name), "{name} depends on {need}, which stands above it");
        }
    }
}

#[test]
fn programs_are_on_top_and_test_support_is_in_no_product() {
    let dependencies = Dependencies::read();
    for name in ["hemora", "hemora-train", "hemora-testing", "xtask"] {
        let needed_by = dependencies.that_need(&[name]);
        assert!(needed_by.is_empty(), "{needed_by:?} depend on {name}");
    }
}
