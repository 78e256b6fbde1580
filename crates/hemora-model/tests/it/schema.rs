//! The published schemas are those of the code.

use std::fs;
use std::path::Path;

fn check(name: &str, schema: &serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name);
    let generated = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("HEMORA_BLESS").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "schemas/{name} is not the schema of the code; HEMORA_BLESS=1 cargo test -p hemora-model \
         rewrites it. A change that an old reader could misread needs a new version."
    );
}

#[test]
fn the_published_schemas_are_current() {
    check("result-1.schema.json", &hemora_model::result_schema());
    check("model-1.schema.json", &hemora_model::model_schema());
}
