//! Runs on labels of which some are not known, by the binary.

use std::path::Path;
use std::process::Output;

use crate::support::{epochs, hemora_train, refusal, succeed, text, write_phantoms};

fn train(data: &Path, out: &Path, more: &[&str]) -> Output {
    let mut program = hemora_train("run", data, out);
    program.args(["--network=simple-nn", "--steps=2", "--threads=2", "--validation=0.5"]);
    program.args(more).output().unwrap()
}

#[test]
fn unknown_labels_are_kept_when_asked_for_and_stand_as_empty_cells() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    write_phantoms(data);
    let table = data.join("stage_2_train.csv");
    let whole = std::fs::read_to_string(&table).unwrap();
    let images = (whole.lines().count() - 1) / 6;
    // Of no image with a hemorrhage it is known whether it is epidural.
    let some: String = whole
        .lines()
        .filter(|row| !row.contains("_epidural,"))
        .flat_map(|row| [row, "\n"])
        .collect();
    std::fs::write(&table, some).unwrap();

    let strict = train(data, &data.join("strict"), &[]);
    assert!(refusal(&strict).contains("noneof"), "{}", text(&strict));
    let weights = data.join("weights.csv");
    let id = whole.lines().nth(1).unwrap().rsplit_once('_').unwrap().0.to_owned();
    std::fs::write(&weights, format!("ID,weight\n{id},0.5\n")).unwrap();
    let out = data.join("partial");
    let weights = format!("--label-weights={}", weights.display());
    let partial = train(data, &out, &["--partial-labels", &weights]);
    succeed(&partial);
    assert_eq!(epochs(&out), 1);
    let said = text(&partial);
    assert!(said.contains(&format!("weighs 1 of {images} images")), "{said}");
    let validation = std::fs::read_to_string(out.join("validation.csv")).unwrap();
    let mut rows = validation.lines();
    let head: Vec<&str> = rows.next().unwrap().split(',').collect();
    let column = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let (epidural, any) = (column("label_epidural"), column("label_any"));
    let (mut unknown, mut negative) = (0, 0);
    for row in rows {
        let cells: Vec<&str> = row.split(',').collect();
        // Without hemorrhage there is no epidural one.
        assert_eq!(cells[epidural], if cells[any] == "0" { "0" } else { "" }, "{row}");
        unknown += usize::from(cells[epidural].is_empty());
        negative += usize::from(cells[any] == "0");
    }
    assert!(unknown > 0 && negative > 0, "{unknown} {negative}");
    // Nothing but negatives is known, so there is no AUROC.
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert!(metrics.contains("\"epidural\":null"), "{metrics}");

    let nowhere = format!("--annotations={}", data.join("nowhere").display());
    let refused = train(data, &data.join("wrong"), &["--partial-labels", &nowhere]);
    assert!(refusal(&refused).contains("nowhere:cannotberead"), "{}", text(&refused));
}
