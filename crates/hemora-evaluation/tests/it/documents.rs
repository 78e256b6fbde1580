//! The metrics document, its schema, and the same figures for any number of threads.

use std::path::Path;

use hemora_evaluation::{Cases, evaluate, read_evaluation, schema};

use crate::support::{Tables, label_csv, options, result_csv};

#[test]
fn the_published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/metrics-1.schema.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("HEMORA_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "schemas/metrics-1.schema.json is not the schema of the code; HEMORA_BLESS=1 cargo test -p \
         hemora-evaluation rewrites it. A change that an old reader could misread needs a new version."
    );
}

#[test]
fn a_document_can_be_read_again() {
    let tables = Tables::new();
    let cases = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    let evaluation = evaluate(cases, &options()).unwrap();
    let text = serde_json::to_string(&evaluation).unwrap();
    let read = read_evaluation(&tables.write("metrics.json", &text)).unwrap();
    assert_eq!(read.predictions, evaluation.predictions);
    assert_eq!(read.levels.len(), 3);
    let any = |one: &hemora_evaluation::Evaluation| one.levels[0].metrics.labels[5].auroc;
    assert!((any(&read).low.unwrap() - any(&evaluation).low.unwrap()).abs() < 1e-14);
    let again = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    assert_eq!(evaluate(again, &options()).unwrap(), evaluation);
}
