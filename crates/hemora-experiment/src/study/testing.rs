//! A set and a document for tests.

use hemora_ct::Label;
use hemora_data::Part;
use hemora_metrics::LabelColumn;

use crate::study::set::{Item, StudySet};
use crate::study::warnings::warnings;
use crate::study::{
    CellResult, Draw, DrawResult, Epoch, Measured, Outcome, Selection, StudyDocument, StudyOptions,
    baselines, figures, reported, summarise,
};

/// `patients` patients of `slices` slices. Every second patient bleeds in the upper half of the
/// slices, with one to three subtypes; of every tenth nothing is known.
pub(crate) fn set(patients: usize, slices: usize) -> StudySet {
    let mut items = Vec::new();
    for patient in 0..patients {
        let known = patient % 10 != 9;
        for slice in 0..slices {
            let id = format!("ID_{patient:04}_{slice:02}");
            let types =
                if patient % 2 == 1 && slice >= slices / 2 { 1 + patient / 2 % 3 } else { 0 };
            let mut labels = [false; 6];
            for offset in 0..types {
                labels[(patient + offset) % 5] = true;
            }
            labels[Label::Any.index()] = types > 0;
            let group = if known { format!("PatientID=p{patient}") } else { format!("image={id}") };
            let z = known.then_some(slice as f64 * 5.0);
            items.push(Item { id, labels, group, known, z });
        }
    }
    StudySet {
        items,
        images: "images".into(),
        labels: "labels.csv".into(),
        groups: Vec::new(),
        name: "test".into(),
    }
}

/// A document of a small study whose networks are worth different things: each probability is drawn
/// towards the truth, of the later networks more.
pub(crate) fn document(change: impl FnOnce(&mut StudyOptions)) -> StudyDocument {
    let set = set(80, 8);
    let mut options = StudyOptions { resamples: 50, ..StudyOptions::quick() };
    change(&mut options);
    let (mut draws, mut cells) = (Vec::new(), Vec::new());
    for draw in crate::study::draws(&options) {
        let selection = Selection::draw(&set, draw, None, &options).unwrap();
        let baselines = baselines(&set, &selection, draw.question, 50, 0).unwrap();
        draws.push(DrawResult {
            draw,
            seed: options.seed + draw.repeat,
            parts: selection.counts(&set),
            shared_patients: selection.shared_groups(&set).len() as u64,
            impossible: None,
            baselines,
        });
        for (index, cell) in crate::study::cells(&options, draw).into_iter().enumerate() {
            let measured = measured(&set, &selection, draw, index as f64 + 1.0);
            let outcome = Outcome::Measured(Box::new(measured));
            cells.push(CellResult { network: cell.network, draw, outcome });
        }
    }
    let mut document = StudyDocument {
        schema_version: 1,
        notice: hemora_ct::NOTICE.to_owned(),
        tool: hemora_evaluation::Tool { name: "test".to_owned(), version: "0".to_owned() },
        planned: cells.len() as u64,
        summaries: summarise(&draws, &cells),
        options,
        set: set.summary(),
        device: Some("Cpu".to_owned()),
        draws,
        cells,
        reported: reported(),
        warnings: Vec::new(),
    };
    document.warnings = warnings(&document);
    document
}

fn measured(set: &StudySet, selection: &Selection, draw: Draw, worth: f64) -> Measured {
    let test = selection.part(Part::Test);
    let column = |&label: &Label| {
        let truth: Vec<bool> =
            test.iter().map(|&index| set.items[index].labels[label.index()]).collect();
        let probability = |(at, truth): (usize, &bool)| {
            let noise = (at * 37 % 101) as f64 / 101.0;
            let towards = if *truth { 1.0 } else { 0.0 };
            (noise + worth * towards) / (1.0 + worth)
        };
        let probabilities = truth.iter().enumerate().map(probability).collect();
        LabelColumn { label, probabilities, truth }
    };
    let columns: Vec<LabelColumn> = draw.question.labels().iter().map(column).collect();
    let groups: Vec<&str> = test.iter().map(|&index| set.items[index].group.as_str()).collect();
    let epoch = |epoch: u64| Epoch {
        epoch,
        train_loss: 1.0 / epoch as f64,
        validation_loss: 1.2 / epoch as f64,
        mean_auroc: Some(0.5 + epoch as f64 / 10.0),
    };
    Measured {
        epochs: (1..=4).map(epoch).collect(),
        best_epoch: Some(4),
        seconds: 10.0,
        device: Some("Cpu".to_owned()),
        missing: 0,
        figures: figures(&columns, &groups, 50, 0).unwrap(),
    }
}
