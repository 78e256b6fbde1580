//! The table and the documents that a result becomes.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use hemora_ct::Label;
use hemora_model::{TriageResult, model_schema, result_schema};
use hemora_report::result_csv;

use crate::support::peers_python;

use crate::archive::*;

#[test]
fn the_table_has_a_row_for_each_slice() {
    let archive = archive();
    let result = archive.triage(&archive.collect());
    let text = result_csv(&result);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.iter().skip(4).collect::<Vec<_>>(), Label::ALL.map(Label::name));
    let rows: Vec<HashMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 10);
    assert_eq!((&*rows[2]["sop_instance_uid"], &*rows[2]["z_mm"]), ("1.2.1.2", "10"));
    assert_near(rows[2]["any"].parse().unwrap(), expected_any(3000));
}

#[test]
fn documents_come_back_and_obey_their_schemas() {
    let archive = archive();
    let result = archive.triage(&archive.collect());
    let json = serde_json::to_string(&result).unwrap();
    assert_eq!(serde_json::from_str::<TriageResult>(&json).unwrap(), result);
    let Some(python) = peers_python() else { return };
    let model = serde_json::to_string(archive.bundle.info()).unwrap();
    let folder = archive.folder.path();
    assert!(obeys(&python, folder, &result_schema(), &json));
    assert!(obeys(&python, folder, &model_schema(), &model));
    assert!(!obeys(&python, folder, &result_schema(), &model));
    let beyond = json.replacen("\"any\":0.", "\"any\":7.", 1);
    assert!(!obeys(&python, folder, &result_schema(), &beyond));
}

/// Whether a document obeys a schema, by Python's jsonschema.
fn obeys(python: &Path, folder: &Path, schema: &serde_json::Value, document: &str) -> bool {
    fs::write(folder.join("schema.json"), schema.to_string()).unwrap();
    fs::write(folder.join("document.json"), document).unwrap();
    let script = "import json, sys, jsonschema\n\
        schema, document = (json.load(open(path)) for path in sys.argv[1:])\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        valid = jsonschema.Draft202012Validator(schema).is_valid(document)\n\
        print('valid' if valid else 'invalid')";
    let output = Command::new(python)
        .args(["-c", script])
        .args([folder.join("schema.json"), folder.join("document.json")])
        .output()
        .unwrap();
    match String::from_utf8_lossy(&output.stdout).trim() {
        "valid" => true,
        "invalid" => false,
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}
