//! The published description of the API is that of the code.

use std::fs;
use std::path::Path;

#[test]
fn the_published_description_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/node-1.openapi.json");
    let generated =
        format!("{}\n", serde_json::to_string_pretty(&hemora_serve::openapi()).unwrap());
    if std::env::var_os("HEMORA_BLESS").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "schemas/node-1.openapi.json is not that of the code; HEMORA_BLESS=1 cargo test -p hemora-serve \
         rewrites it. A change that an old reader could misread needs a new version."
    );
}

#[test]
fn every_reference_leads_somewhere() {
    let document = hemora_serve::openapi();
    let text = document.to_string();
    let names = text
        .split("#/components/schemas/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default().to_owned());
    let names: std::collections::BTreeSet<String> = names.collect();
    assert!(names.contains("StudyList") && names.contains("Problem"), "{names:?}");
    for name in names {
        assert!(document["components"]["schemas"][&name].is_object(), "{name}");
    }
}
