//! Counts of tables and indices.

use crate::support::{shared_sample, write_labels};
use hemora_ct::Label;
use hemora_data::{SetStats, build_index};
use hemora_synth::{PhantomOptions, write_dataset};

#[test]
fn the_shared_tables_have_the_counts_that_their_readme_says() {
    let Some(sample) = shared_sample() else { return };
    let tables = sample.join("tables");
    let slices = SetStats::of_table(&tables.join("slices_30112.csv")).unwrap();
    assert_eq!((slices.rows, slices.positives[Label::Any.index()]), (30_112, 12_045));
    assert_eq!((slices.inconsistent, slices.unlabelled), (0, 0));
    assert_eq!(slices.types.iter().sum::<usize>(), 30_112);
    assert_eq!(slices.types[0], 30_112 - 12_045);
    for label in Label::SUBTYPES {
        let own = label.index();
        assert_eq!(slices.together[own][own], slices.positives[own], "{label}");
    }
    let studies = SetStats::of_table(&tables.join("studies_19530.csv")).unwrap();
    assert_eq!((studies.rows, studies.studies), (19_530, 19_530));
    let series = SetStats::of_table(&tables.join("series_6750.csv")).unwrap();
    assert_eq!((series.rows, series.series), (6_750, 6_750));
    let png = SetStats::of_table(&sample.join("png_labels.csv")).unwrap();
    assert_eq!((png.rows, png.positives), (2_886, [15, 182, 120, 172, 227, 526]));
    let dicom = SetStats::of_table(&sample.join("stage_2_train.csv")).unwrap();
    assert_eq!((dicom.rows, dicom.positives[Label::Any.index()]), (205, 42));
}

#[test]
fn the_sample_has_six_studies_in_two_formats() {
    let Some(sample) = shared_sample() else { return };
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("set.parquet");
    let labels = [sample.join("stage_2_train.csv")];
    build_index(&[sample.join("dicom")], &labels, &index, &|_, _| {}).unwrap();
    let stats = SetStats::of_index(&index).unwrap();
    assert_eq!((stats.rows, stats.patients, stats.studies), (205, 6, 6));
    assert_eq!((stats.positives[5], stats.positives[0], stats.types[0]), (42, 0, 163));
    let formats: Vec<&str> = stats.formats.iter().map(|(format, _)| format.as_str()).collect();
    assert!(formats.contains(&"12 bits unsigned") && formats.contains(&"16 bits signed"));
    assert_eq!(stats.windows.iter().map(|(_, count)| count).sum::<usize>(), 205);
    assert_eq!(stats.slice_distance.iter().map(|(_, count)| count).sum::<usize>(), stats.series);
    assert_eq!(stats.sizes, [("512 × 512".to_owned(), 205)]);
}

#[test]
fn phantoms_are_counted_printed_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    let options = PhantomOptions::default().with_size(64);
    let summary = write_dataset(&set, 5, 3, &options, &|_, _| {}).unwrap();
    let index = folder.path().join("set.parquet");
    let labels = [set.join("stage_2_train.csv")];
    build_index(&[set.join("stage_2_train")], &labels, &index, &|_, _| {}).unwrap();
    let stats = SetStats::of_index(&index).unwrap();
    assert_eq!((stats.rows, stats.patients), (summary.slices, summary.patients));
    assert_eq!((stats.positives, stats.inconsistent), (summary.positive_slices, 0));
    let printed = stats.to_string();
    assert!(printed.contains(&format!("rows {}, patients 3", summary.slices)), "{printed}");
    assert!(printed.contains("64 × 64"), "{printed}");
    let page = stats.page("a <set>");
    assert!(page.contains("a &lt;set&gt;") && !page.contains("<set>"));
    for forbidden in ["http://", "https://", "url(", "src=", "@import", "<script"] {
        assert!(!page.contains(forbidden), "the page contains {forbidden:?}");
    }
    assert!(page.contains(&format!(">{}</text>", stats.positives[5])));
}

#[test]
fn hostile_text_comes_out_inert() {
    let evil = "<script>alert(1)</script>\"onload='x'\u{202E}\u{0}";
    let counted = vec![(evil.to_owned(), 1)];
    let stats = SetStats {
        windows: counted.clone(),
        intercepts: counted.clone(),
        formats: counted.clone(),
        sizes: counted.clone(),
        flags: counted,
        ..SetStats::default()
    };
    let page = stats.page(evil);
    for forbidden in ["<script", "\"onload", "\u{202E}", "\u{0}"] {
        assert!(!page.contains(forbidden), "the page contains {forbidden:?}");
    }
    assert!(page.matches("&lt;script&gt;").count() >= 7);
}

#[test]
fn tables_of_other_forms_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let error = |text: &str| {
        std::fs::write(&path, text).unwrap();
        SetStats::of_table(&path).unwrap_err().to_string()
    };
    assert!(error("a,b\n1,2\n").contains("`a,b`"));
    let header = "Image,any,epidural,intraparenchymal,intraventricular,subarachnoid,subdural\n";
    let text = error(&format!("{header}x,0,0,0,0,0,maybe\n"));
    assert!(text.contains("line 2") && text.contains("`maybe`"), "{text}");
    std::fs::write(&path, format!("{header}x,0,0,0,0,0,0\ny,,,,,,\nz,1,0,0,0,0,0\n")).unwrap();
    let stats = SetStats::of_table(&path).unwrap();
    assert_eq!((stats.rows, stats.unlabelled, stats.inconsistent), (3, 1, 1));
    write_labels(&path, &[("a", &[Label::Subdural, Label::Any]), ("b", &[])]);
    assert_eq!(SetStats::of_table(&path).unwrap().types, [1, 1, 0, 0, 0, 0]);
}
