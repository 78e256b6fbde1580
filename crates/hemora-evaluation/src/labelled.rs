//! Which slices have labels, from where, and what is left over.

use std::path::Path;

use hemora_data::shorten;

use crate::document::{Alignment, FileRef};
use crate::facts::{Facts, IndexFacts};
use crate::truth::{Joined, Truth};
use crate::{CaseRequest, EvaluateError, Predictions, Tally};

/// What is evaluated: the alignment, indices of the slices kept, their truth by label, and its file.
type Labelled = (Alignment, Vec<usize>, Vec<Vec<bool>>, Option<FileRef>);

/// The labels: of a table that was given, else of the index, else of the predictions.
pub(crate) fn labels(
    request: &CaseRequest,
    predictions: &Predictions,
    index: Option<&IndexFacts>,
    warnings: &mut Vec<String>,
) -> Result<Labelled, EvaluateError> {
    let joined = match (&request.labels, index.filter(|index| index.labelled > 0)) {
        (Some(path), _) => {
            let truth = Truth::read(path, &predictions.labels)?;
            warnings.extend(truth.warnings.iter().cloned());
            Some(truth.join(&predictions.ids))
        }
        (None, Some(index)) => {
            let row = |facts: &Option<Facts>| {
                let labels = facts.as_ref()?.labels?;
                Some(predictions.labels.iter().map(|label| labels[label.index()]).collect())
            };
            Some(Joined {
                file: index.file.clone(),
                rows: index.slices.iter().map(row).collect(),
                labelled: index.labelled,
                unpredicted: index.unpredicted.clone(),
                unusable: Default::default(),
                is_own: false,
            })
        }
        (None, None) => predictions.truth.clone().map(|rows| Joined {
            file: predictions.file.clone(),
            labelled: rows.iter().flatten().count() as u64,
            rows,
            unpredicted: Tally::default(),
            unusable: Default::default(),
            is_own: true,
        }),
    };
    let Some(joined) = joined else {
        return Err(EvaluateError::Request(format!(
            "{} has no columns `label_…` for all labels that are evaluated{}; give the labels with \
             --labels",
            request.predictions.display(),
            if request.index.is_some() { ", and the index has no labels" } else { "" }
        )));
    };
    let labels = request.labels.as_ref().unwrap_or(&predictions.path);
    let (alignment, kept) = align(predictions, (labels, &joined), request.partial)?;
    if let (Some(own), false) = (&predictions.truth, joined.is_own) {
        warn_contradictions(predictions, own, &joined, warnings);
    }
    let label = |index: usize| {
        let label = |&slice: &usize| joined.rows[slice].as_ref().is_some_and(|row| row[index]);
        kept.iter().map(label).collect()
    };
    let truth = (0..predictions.labels.len()).map(label).collect();
    Ok((alignment, kept, truth, (!joined.is_own).then_some(joined.file)))
}

/// Labels in the predictions that differ from those that count.
fn warn_contradictions(
    predictions: &Predictions,
    own: &[Option<Box<[bool]>>],
    joined: &Joined,
    warnings: &mut Vec<String>,
) {
    let mut other = Tally::default();
    for (slice, row) in joined.rows.iter().enumerate() {
        if let (Some(row), Some(own)) = (row, &own[slice])
            && row != own
        {
            other.add(|| shorten(&predictions.ids[slice]));
        }
    }
    if other.count > 0 {
        warnings.push(format!(
            "of {} slices the labels in {} are not those in {}, which count: {other}",
            other.count, predictions.file.file, joined.file.file
        ));
    }
}

/// Names the slices that are not in the index.
pub(crate) fn warn_not_indexed(
    facts: &[Option<Facts>],
    ids: &[String],
    file: &FileRef,
    warnings: &mut Vec<String>,
) {
    let mut absent = Tally::default();
    for (facts, id) in facts.iter().zip(ids) {
        if facts.is_none() {
            absent.add(|| shorten(id));
        }
    }
    if absent.count > 0 {
        warnings.push(format!(
            "{} of {} evaluated slices are not in {}, and nothing is known of them: {absent}",
            absent.count,
            ids.len(),
            file.file
        ));
    }
}

/// Which predictions have labels, and what is left over on either side.
fn align(
    predictions: &Predictions,
    (labels, joined): (&Path, &Joined),
    partial: bool,
) -> Result<(Alignment, Vec<usize>), EvaluateError> {
    let mut unlabelled = Tally::default();
    let mut kept = Vec::with_capacity(predictions.ids.len());
    for (slice, id) in predictions.ids.iter().enumerate() {
        if joined.rows[slice].is_some() {
            kept.push(slice);
        } else {
            unlabelled.add(|| shorten(id));
        }
    }
    let unusable = joined.unusable.iter().find(|(tally, _)| tally.count > 0);
    if let (Some((tally, what)), false) = (unusable, partial) {
        return Err(EvaluateError::Rows {
            path: labels.to_owned(),
            what,
            tally: tally.clone(),
            todo: "mend the labels, or give --partial to leave these slices out",
        });
    }
    let unpredicted = joined.unpredicted.clone();
    if joined.labelled == 0 {
        return Err(EvaluateError::Request(match joined.is_own {
            true => format!("{} has no labels; give them with --labels", labels.display()),
            false => format!(
                "no slice of {} has labels in {}, in which no slice has all of its labels",
                predictions.path.display(),
                joined.file.file
            ),
        }));
    }
    if kept.is_empty() {
        return Err(EvaluateError::Request(format!(
            "no slice of {} has labels in {}: predictions are named like {}, labels like {}",
            predictions.path.display(),
            joined.file.file,
            unlabelled,
            unpredicted
        )));
    }
    if unlabelled.count > 0 && !partial {
        return Err(EvaluateError::Rows {
            path: predictions.path.clone(),
            what: "slices have no labels",
            tally: unlabelled,
            todo: "give their labels, or --partial to leave these slices out",
        });
    }
    let alignment = Alignment {
        predicted: predictions.ids.len() as u64,
        labelled: joined.labelled,
        evaluated: kept.len() as u64,
        unlabelled,
        unpredicted,
    };
    Ok((alignment, kept))
}

/// Names what is left over on either side.
pub(crate) fn warn_alignment(alignment: &Alignment, warnings: &mut Vec<String>) {
    let Alignment { unlabelled, unpredicted, labelled, predicted, .. } = alignment;
    if unlabelled.count > 0 {
        warnings.push(format!(
            "{} of {predicted} predicted slices have no labels and are left out: {unlabelled}",
            unlabelled.count
        ));
    }
    if unpredicted.count > 0 {
        warnings.push(format!(
            "{} of {labelled} labelled slices have no prediction and are left out: {unpredicted}. \
             If they were meant to be scored, the figures say nothing about them",
            unpredicted.count
        ));
    }
}
