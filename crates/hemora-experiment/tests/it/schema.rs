//! The published schema is that of the code.

use std::path::Path;

#[test]
fn the_published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/study-1.schema.json");
    let schema = hemora_experiment::study::schema();
    let generated = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("HEMORA_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "schemas/study-1.schema.json is not the schema of the code; HEMORA_BLESS=1 cargo test -p \
         hemora-experiment rewrites it. A change that an old reader could misread needs a new version."
    );
}
