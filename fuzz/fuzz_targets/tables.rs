//! CSV tables: labels, predictions, groups, slices; and the features of slices. The first byte
//! chooses.
#![no_main]

use std::collections::HashSet;

use hemora_data::{Groups, LabelTable, SetStats, SliceFeatures, SliceTable};
use hemora_evaluation::{Mapping, Predictions};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let Some((selector, table)) = data.split_first() else { return };
    let path = file("table.csv", table);
    match selector % 5 {
        0 => {
            if let Ok(labels) = LabelTable::read(&path) {
                let ids: HashSet<&str> = labels.iter().map(|(id, _)| id).collect();
                assert_eq!(ids.len(), labels.len());
            }
        }
        1 => {
            if let Ok(read) = Predictions::read(&path, &Mapping::default()) {
                assert!(read.probabilities.iter().all(|column| column.len() == read.ids.len()));
                assert!(read.probabilities.iter().flatten().all(|value| (0.0..=1.0).contains(value)));
            }
        }
        3 => {
            if let Ok(read) = SliceTable::read(&path) {
                let places: usize = read.series().iter().map(Vec::len).sum();
                assert_eq!(places, read.rows.len());
            }
        }
        4 => {
            if let Ok(read) = SliceFeatures::read(&path) {
                assert!((0..read.rows()).flat_map(|row| read.row(row)).all(f32::is_finite));
            }
        }
        _ => {
            let _ = Groups::from_csv(&path, "ID", "PatientID");
            let _ = Groups::from_series_csv(&path);
            let _ = SetStats::of_table(&path);
        }
    }
});
