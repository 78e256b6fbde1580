//! Parquet tables, and an index of the slices.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use hemora_ct::{ImagePlane, Slice};
use hemora_data::{TableColumn, build_index};
use hemora_evaluation::{CaseRequest, Cases, Evaluation, Mapping, evaluate, write_html};
use hemora_io::{NewSlice, PixelStorage, write_slice};
use hemora_metrics::{Level, OperatingRule};
use hemora_synth::{PhantomOptions, write_dataset};

use crate::support::{Tables, label_csv, options, result_csv};
use hemora_testing::sound::assert_sound;

/// Writes CSV text as Parquet with pyarrow, as pandas would; `None` without an interpreter.
fn parquet(tables: &Tables, name: &str, csv: &str) -> Option<PathBuf> {
    let python = hemora_testing::python()?;
    let (path, text) = (tables.write(name, ""), tables.write(&format!("{name}.csv"), csv));
    // One thread: Arrow's others sometimes bring the interpreter down when it ends.
    let script = "import sys, pyarrow.csv as c, pyarrow.parquet as p\n\
                  t = c.read_csv(sys.argv[1], c.ReadOptions(use_threads=False))\n\
                  p.write_table(t, sys.argv[2], row_group_size=20)";
    let output = Command::new(python).args(["-c", script]).args([&text, &path]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pyarrow: {}\n{said}", output.status);
    Some(path)
}

#[test]
fn parquet_gives_the_figures_of_csv() {
    let tables = Tables::new();
    let of_csv = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    let Some(predictions) = parquet(&tables, "p.parquet", &result_csv()) else { return };
    let labels = parquet(&tables, "l.parquet", &label_csv()).unwrap();
    let request = CaseRequest { predictions, labels: Some(labels), ..CaseRequest::default() };
    let of_parquet = Cases::load(&request).unwrap();
    assert_eq!(of_parquet.columns, of_csv.columns);
    assert_eq!(of_parquet.group_names, of_csv.group_names);
    assert_eq!(of_parquet.hierarchy.positions, of_csv.hierarchy.positions);
    // A gap is no probability, and is counted.
    let hole = result_csv().replacen("ID_00,series0,study0,0,0.05,", "ID_00,series0,study0,0,,", 1);
    let path = parquet(&tables, "hole.parquet", &hole).unwrap();
    let request = CaseRequest { predictions: path, ..CaseRequest::default() };
    let message = Cases::load(&request).unwrap_err().to_string();
    assert!(message.contains("1 probabilities are not numbers: ID_00 epidural"), "{message}");
    let broken = tables.write("broken.parquet", "PAR1 and nothing else");
    let request = CaseRequest { predictions: broken, ..CaseRequest::default() };
    let message = Cases::load(&request).unwrap_err().to_string();
    assert!(message.contains("broken.parquet"), "{message}");
}

#[test]
fn compressed_half_and_decimal_columns_are_read_and_others_named() {
    let Some(python) = hemora_testing::python() else { return };
    let tables = Tables::new();
    let csv = tables.write("p.csv", &result_csv());
    let script = "import sys, pyarrow as a, pyarrow.csv as c, pyarrow.parquet as p\n\
                  t = c.read_csv(sys.argv[1], c.ReadOptions(use_threads=False))\n\
                  kind = sys.argv[3]\n\
                  at = t.column_names.index('epidural')\n\
                  kinds = {'half': a.float16(), 'decimal': a.decimal128(9, 2), 'lists': None}\n\
                  if kind == 'lists':\n  t = t.set_column(at, 'epidural', a.array([[.1]] * len(t)))\n\
                  elif kind in kinds:\n  t = t.set_column(at, 'epidural', t['epidural'].cast(kinds[kind]))\n\
                  p.write_table(t, sys.argv[2], compression='snappy' if kind in kinds else kind)";
    let written = |kind: &str| {
        let path = tables.write(kind, "");
        let output =
            Command::new(&python).args(["-c", script]).args([&csv, &path]).arg(kind).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        path
    };
    let read = |kind: &str| {
        let request =
            CaseRequest { predictions: written(kind), ..tables.request("", &label_csv()) };
        Cases::load(&request)
    };
    let of_csv = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    for kind in ["zstd", "gzip", "lz4"] {
        assert_eq!(read(kind).unwrap().columns, of_csv.columns, "{kind}");
    }
    // Neither holds every digit of the table's numbers.
    for (kind, most) in [("half", 5e-4), ("decimal", 1e-12)] {
        let rounded = read(kind).unwrap();
        let pairs = rounded.columns[0].probabilities.iter().zip(&of_csv.columns[0].probabilities);
        for (rounded, whole) in pairs {
            assert!((rounded - whole).abs() < most, "{kind}: {rounded} {whole}");
        }
    }
    let message = read("lists").unwrap_err().to_string();
    assert!(message.contains("no column `epidural`"), "{message}");
    assert!(message.contains("cannot be read: `epidural` has lists"), "{message}");
}

/// Four phantoms of eight slices with their index, and predictions of all slices but one.
struct Indexed {
    tables: Tables,
    index: PathBuf,
    predictions: String,
}

impl Indexed {
    fn new() -> Self {
        let tables = Tables::new();
        let folder = tables.write("marker", "").parent().unwrap().to_owned();
        let data = folder.join("data");
        let phantom = PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default() };
        write_dataset(&data, 3, 4, &phantom.with_size(64), &|_, _| {}).unwrap();
        let index = folder.join("set.parquet");
        let labels = data.join("stage_2_train.csv");
        let images = data.join("stage_2_train");
        // The same file under another name is found again.
        build_index(&[images], std::slice::from_ref(&labels), &index, &|_, _| {}).unwrap();
        let mut predictions =
            String::from("id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any");
        let table = std::fs::read_to_string(&labels).unwrap();
        let any: Vec<(String, bool)> = table
            .lines()
            .filter_map(|line| line.split_once("_any,"))
            .map(|(id, label)| (id.to_owned(), label == "1"))
            .collect();
        for (number, (id, bleeds)) in any.iter().enumerate().skip(1) {
            let noise = (number * 37 % 23) as f64 / 30.0;
            let probability = if *bleeds { 0.3 + noise } else { 0.05 + noise };
            let row = format!(",{}", probability.min(1.0)).repeat(6);
            writeln!(predictions).unwrap();
            write!(predictions, "{id}{row}").unwrap();
        }
        Self { tables, index, predictions: predictions + "\n" }
    }

    fn request(&self) -> CaseRequest {
        CaseRequest {
            predictions: self.tables.write("predictions.csv", &self.predictions),
            index: Some(self.index.clone()),
            ..CaseRequest::default()
        }
    }
}

#[test]
fn an_index_gives_labels_patients_subgroups_and_lesions() {
    let indexed = Indexed::new();
    let cases = Cases::load(&indexed.request()).unwrap();
    assert_eq!((cases.grouping.kind.as_str(), cases.grouping.groups), ("patient", 4));
    assert_eq!(cases.alignment.unpredicted.count, 1);
    assert!(cases.facts.as_ref().unwrap().iter().all(Option::is_some));
    let mut options = options();
    options.choose = vec![OperatingRule::Fixed(0.5)];
    let evaluation = evaluate(cases, &options).unwrap();
    assert_eq!(evaluation.labels.as_ref().unwrap().file, "set.parquet");
    assert_eq!(evaluation.index, evaluation.labels);
    let levels: Vec<Level> = evaluation.levels.iter().map(|level| level.level).collect();
    assert_eq!(levels, [Level::Slice, Level::Series, Level::Study]);
    let columns: Vec<&str> =
        evaluation.subgroups.iter().map(|group| group.column.as_str()).collect();
    for column in ["region of the head", "number of types"] {
        assert!(columns.contains(&column), "{columns:?}");
    }
    let known = evaluation.undivided.join("; ");
    assert!(known.contains("age (not known)") && known.contains("slice thickness ("), "{known}");
    let thirds: u64 = of_column(&evaluation, "region of the head").sum();
    assert_eq!(thirds, evaluation.alignment.evaluated);
    let lesions = evaluation.lesions.as_ref().unwrap();
    assert_eq!((lesions.series, lesions.unordered_series), (4, 0));
    let any = lesions.labels.last().unwrap();
    let slices = evaluation.levels[0].metrics.labels.last().unwrap().positives;
    assert!(any.runs >= 1 && any.runs <= slices, "{} {slices}", any.runs);
    assert_eq!(any.decisions[0].lengths.iter().map(|it| it.found.total).sum::<u64>(), any.runs);
    let mut page = Vec::new();
    write_html(&mut page, &evaluation).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_sound(&page);
    for text in ["Lesions", "middle third", "age (not known)", "Slices that look alike"] {
        assert!(page.contains(text), "{text}");
    }
}

fn of_column<'a>(evaluation: &'a Evaluation, column: &'a str) -> impl Iterator<Item = u64> + 'a {
    let groups = evaluation.subgroups.iter().filter(move |group| group.column == column);
    groups.map(|group| group.items)
}

#[test]
fn what_the_index_lacks_or_contradicts_is_named() {
    let indexed = Indexed::new();
    let stranger = format!("{}XX_1,0,0,0,0,0,0.1\n", indexed.predictions);
    let request = CaseRequest {
        predictions: indexed.tables.write("more.csv", &stranger),
        ..indexed.request()
    };
    let message = Cases::load(&request).unwrap_err().to_string();
    assert!(message.contains("1 slices have no labels: XX_1"), "{message}");
    let partial = Cases::load(&CaseRequest { partial: true, ..request }).unwrap();
    assert_eq!(partial.alignment.unlabelled.count, 1);

    // Labels of a table count before those of the index; of what is in no index nothing is known.
    let mut labels = String::from("id,any\n");
    for line in stranger.lines().skip(1) {
        labels += &format!("{},1\n", line.split(',').next().unwrap());
    }
    let request = CaseRequest {
        predictions: indexed.tables.write("more.csv", &stranger),
        labels: Some(indexed.tables.write("labels.csv", &labels)),
        mapping: Mapping { only: vec![hemora_ct::Label::Any], ..Mapping::default() },
        ..indexed.request()
    };
    let cases = Cases::load(&request).unwrap();
    let said = cases.warnings.join("; ");
    assert!(said.contains("1 of") && said.contains("are not in set.parquet"), "{said}");
    assert!(said.contains("any: all"), "{said}");

    // Labels that stand in the predictions and say something else.
    let own: String = indexed
        .predictions
        .lines()
        .enumerate()
        .map(|(number, line)| match number {
            0 => "id,any,label_any\n".to_owned(),
            _ => format!("{},0.5,1\n", line.split(',').next().unwrap()),
        })
        .collect();
    let request = CaseRequest {
        predictions: indexed.tables.write("own.csv", &own),
        mapping: Mapping { only: vec![hemora_ct::Label::Any], ..Mapping::default() },
        ..indexed.request()
    };
    let said = Cases::load(&request).unwrap().warnings.join("; ");
    assert!(said.contains("the labels in own.csv are not those in set.parquet"), "{said}");

    let request = CaseRequest {
        index: Some(indexed.tables.write("no.parquet", "id,any\n")),
        ..indexed.request()
    };
    let message = Cases::load(&request).unwrap_err().to_string();
    assert!(message.contains("no.parquet") && message.contains("Parquet"), "{message}");
}

#[test]
fn a_slice_without_a_series_does_not_take_the_series_of_the_others() {
    let tables = Tables::new();
    let scans = tables.write("marker", "").parent().unwrap().join("scans");
    std::fs::create_dir(&scans).unwrap();
    let mut predictions = String::from("id,any,label_any\n");
    for slice in 0..6 {
        let (id, own) = (format!("ID_{slice}"), slice != 5);
        let plane = ImagePlane::new(
            [0.0, 0.0, f64::from(slice) * 5.0],
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            None,
        );
        let slice_of = Slice::new(16, 16, vec![40.0; 256], Some(plane.unwrap())).unwrap();
        let new = NewSlice {
            sop_instance_uid: &id,
            series_instance_uid: if own { "1.1.1" } else { "" },
            study_instance_uid: if own { "1.1" } else { "" },
            patient_id: "A",
            series_description: "",
            instance_number: 1,
            storage: PixelStorage::Signed16 { intercept: -1024 },
            slice: &slice_of,
        };
        write_slice(&scans.join(format!("{id}.dcm")), &new).unwrap();
        writeln!(predictions, "{id},0.{slice},{}", slice % 2).unwrap();
    }
    let index = scans.with_extension("parquet");
    build_index(&[scans], &[], &index, &|_, _| {}).unwrap();
    let request = CaseRequest {
        predictions: tables.write("predictions.csv", &predictions),
        index: Some(index),
        mapping: Mapping { only: vec![hemora_ct::Label::Any], ..Mapping::default() },
        ..CaseRequest::default()
    };
    let cases = Cases::load(&request).unwrap();
    assert_eq!(cases.hierarchy.series.as_ref().unwrap().len(), 2);
    // A study has no name of its own: its level is left out, and that is said.
    assert!(cases.hierarchy.studies.is_none());
    let said = cases.warnings.join("; ");
    assert!(said.contains("of 1 slices the study is not known"), "{said}");
    assert!(!said.contains("the series is not known"), "{said}");
    let facts = cases.facts.unwrap();
    assert_eq!(facts[4].as_ref().unwrap().height, Some(1.0));
}

#[test]
fn a_column_of_an_index_can_be_looked_up() {
    let indexed = Indexed::new();
    let mut options = options();
    options.subgroups = vec![TableColumn {
        table: indexed.index.clone(),
        id: "id".to_owned(),
        column: "patient_id".to_owned(),
    }];
    let evaluation = evaluate(Cases::load(&indexed.request()).unwrap(), &options).unwrap();
    let items: u64 = of_column(&evaluation, "patient_id").sum();
    assert_eq!(items, evaluation.alignment.evaluated);
    assert_eq!(of_column(&evaluation, "patient_id").count(), 4);
}

#[test]
fn a_copy_is_found_and_its_other_label_named() {
    let indexed = Indexed::new();
    let folder = indexed.index.parent().unwrap().to_owned();
    // A study under another patient's name: other UIDs, the same pixels.
    let phantom = PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default() };
    let head = hemora_synth::HeadPhantom::new(77, phantom.with_size(64)).unwrap().render();
    for (seed, name) in [(1, "one"), (2, "two")] {
        let path = folder.join("copies").join(name);
        std::fs::create_dir_all(&path).unwrap();
        let ids = hemora_synth::StudyIds::from_seed(seed, head.slices.len());
        let storage = PixelStorage::Unsigned12 { intercept: -1024 };
        hemora_synth::write_study(&path, &head, &ids, storage).unwrap();
    }
    let index = folder.join("copies.parquet");
    build_index(&[folder.join("copies")], &[], &index, &|_, _| {}).unwrap();
    let mut predictions = String::from("id,any,label_any\n");
    let rows: Vec<_> =
        hemora_data::IndexReader::open(&index).unwrap().map(Result::unwrap).collect();
    for row in &rows {
        let label = u8::from(row.path.contains("two"));
        writeln!(predictions, "{},0.5,{label}", row.id).unwrap();
    }
    let request = CaseRequest {
        predictions: indexed.tables.write("copies.csv", &predictions),
        index: Some(index),
        mapping: Mapping { only: vec![hemora_ct::Label::Any], ..Mapping::default() },
        ..CaseRequest::default()
    };
    let evaluation = evaluate(Cases::load(&request).unwrap(), &options()).unwrap();
    let found = evaluation.duplicates.unwrap();
    assert_eq!(found.compared + found.left_out, rows.len() as u64);
    assert!(found.pairs >= rows.len() as u64 / 4, "{} of {}", found.pairs, rows.len());
    assert_eq!((found.conflicts, found.across_groups), (found.pairs, found.pairs));
    assert!(found.listed.iter().all(|pair| pair.distance == 0 && pair.differing.len() == 1));
}
