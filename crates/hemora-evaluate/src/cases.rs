//! Predictions joined with their labels, groups, series and studies.

use std::collections::HashSet;
use std::path::PathBuf;

use hemora_ct::Label;
use hemora_data::shorten;
use hemora_eval::{Aggregation, Clusters, Hierarchy, LabelColumn, Origin};

use crate::document::{Alignment, FileRef, Grouping};
use crate::truth::Truth;
use crate::{EvaluateError, Lookup, Mapping, Predictions, Tally};

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct CaseRequest {
    /// The predictions.
    pub predictions: PathBuf,
    /// Their columns.
    pub mapping: Mapping,
    /// The labels; if absent, `label_…` columns of the predictions.
    pub labels: Option<PathBuf>,
    /// What is resampled; if absent, what the predictions tell: `group`, else the study.
    pub groups: Option<Lookup>,
    /// The series of slices, where the predictions do not tell.
    pub series: Option<Lookup>,
    /// The study of slices, where the predictions do not tell.
    pub studies: Option<Lookup>,
    /// Whether slices without labels may be left out.
    pub partial: bool,
    /// How slices make a series.
    pub aggregation: Aggregation,
}

/// Slices with predictions and labels.
#[derive(Debug, Clone)]
pub struct Cases {
    /// The predictions' file.
    pub file: FileRef,
    /// The labels' file; absent if they stand in the predictions.
    pub labels_file: Option<FileRef>,
    /// Hash of the ids of all predictions.
    pub ids_sha256: String,
    /// Ids of the slices.
    pub ids: Vec<String>,
    /// Probabilities and truth of each label.
    pub columns: Vec<LabelColumn>,
    /// Group of each slice by name; an own name where none is known.
    pub group_names: Vec<String>,
    /// The same as numbers.
    pub clusters: Clusters,
    /// What a group is.
    pub grouping: Grouping,
    /// Series and studies.
    pub hierarchy: Hierarchy,
    /// What predictions and labels have in common.
    pub alignment: Alignment,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

impl Cases {
    /// Reads and joins everything.
    ///
    /// # Errors
    /// [`EvaluateError`] names the file and what does not fit, with counts.
    pub fn load(request: &CaseRequest) -> Result<Self, EvaluateError> {
        let predictions = Predictions::read(&request.predictions, &request.mapping)?;
        let ids_sha256 = predictions.ids_sha256();
        let mut warnings = Vec::new();
        let (alignment, kept, truth, labels_file) = match &request.labels {
            Some(path) => {
                let truth = Truth::read(path, &predictions.labels)?;
                let (alignment, kept) = align(&predictions, &truth, request.partial)?;
                warnings.extend(truth.warnings.iter().cloned());
                let columns = (0..predictions.labels.len())
                    .map(|place| {
                        let label = |&slice: &usize| {
                            truth.get(&predictions.ids[slice]).is_some_and(|row| row[place])
                        };
                        kept.iter().map(label).collect()
                    })
                    .collect::<Vec<Vec<bool>>>();
                (alignment, kept, columns, Some(truth.file))
            }
            None => {
                let all = predictions.ids.len() as u64;
                let Some(truth) = predictions.truth.clone() else {
                    return Err(EvaluateError::Request(format!(
                        "{} has no columns `label_…` for all labels that are evaluated; give the \
                         labels with --labels",
                        request.predictions.display()
                    )));
                };
                let alignment = Alignment {
                    predicted: all,
                    labelled: all,
                    evaluated: all,
                    unlabelled: Tally::default(),
                    unpredicted: Tally::default(),
                };
                (alignment, (0..predictions.ids.len()).collect(), truth, None)
            }
        };
        warn_alignment(&alignment, &mut warnings);
        let pick = |values: &[String]| -> Vec<String> {
            kept.iter().map(|&slice| values[slice].clone()).collect()
        };
        let ids = pick(&predictions.ids);
        let columns: Vec<LabelColumn> = predictions
            .labels
            .iter()
            .zip(truth)
            .zip(&predictions.probabilities)
            .map(|((&label, truth), probabilities)| LabelColumn {
                label,
                probabilities: kept.iter().map(|&slice| probabilities[slice]).collect(),
                truth,
            })
            .collect();
        for column in &columns {
            warn_one_class(column, &mut warnings);
        }
        let series = part(&request.series, predictions.series.as_deref().map(pick), &ids)?;
        let studies = part(&request.studies, predictions.studies.as_deref().map(pick), &ids)?;
        check_nested(series.as_deref(), studies.as_deref(), &ids)?;
        let own = predictions.groups.as_deref().map(pick);
        let (group_names, grouping) =
            groups(request, own, studies.as_deref(), &ids, &mut warnings)?;
        Ok(Self {
            file: predictions.file,
            labels_file,
            ids_sha256,
            columns,
            clusters: Clusters::new(&group_names),
            group_names,
            grouping,
            hierarchy: Hierarchy {
                series: series.map(|series| Clusters::new(&series)),
                studies: studies.map(|studies| Clusters::new(&studies)),
                aggregation: request.aggregation,
            },
            alignment,
            warnings,
            ids,
        })
    }

    /// These cases as the origin of something that is fitted on them.
    pub fn origin(&self) -> Origin {
        Origin {
            file: self.file.file.clone(),
            sha256: self.file.sha256.clone(),
            ids_sha256: self.ids_sha256.clone(),
            items: self.ids.len() as u64,
            groups: self.grouping.groups,
            grouping: self.grouping.kind.clone(),
        }
    }

    /// Whether something with this origin was fitted on these cases.
    pub fn are(&self, origin: &Origin) -> bool {
        origin.sha256 == self.file.sha256 || origin.ids_sha256 == self.ids_sha256
    }

    /// The labels that are evaluated.
    pub fn labels(&self) -> Vec<Label> {
        self.columns.iter().map(|column| column.label).collect()
    }
}

/// Which predictions have labels, and what is left over on either side.
fn align(
    predictions: &Predictions,
    truth: &Truth,
    partial: bool,
) -> Result<(Alignment, Vec<usize>), EvaluateError> {
    let mut unlabelled = Tally::default();
    let mut kept = Vec::with_capacity(predictions.ids.len());
    for (slice, id) in predictions.ids.iter().enumerate() {
        if truth.get(id).is_some() {
            kept.push(slice);
        } else {
            unlabelled.add(|| shorten(id));
        }
    }
    let predicted: HashSet<&str> = predictions.ids.iter().map(String::as_str).collect();
    let mut unpredicted = Tally::default();
    for id in truth.sorted_ids().into_iter().filter(|id| !predicted.contains(id)) {
        unpredicted.add(|| shorten(id));
    }
    if kept.is_empty() {
        return Err(EvaluateError::Request(format!(
            "no slice of {} is in {}: predictions are named like {}, labels like {}",
            predictions.path.display(),
            truth.file.file,
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
        labelled: truth.len() as u64,
        evaluated: kept.len() as u64,
        unlabelled,
        unpredicted,
    };
    Ok((alignment, kept))
}

fn warn_alignment(alignment: &Alignment, warnings: &mut Vec<String>) {
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

fn warn_one_class(column: &LabelColumn, warnings: &mut Vec<String>) {
    let positives = column.truth.iter().filter(|label| **label).count();
    if positives == 0 || positives == column.truth.len() {
        let class = if positives == 0 { "negative" } else { "positive" };
        warnings.push(format!(
            "{}: all {} slices are {class}, so that ranking and {} are undefined",
            column.label,
            column.truth.len(),
            if positives == 0 { "sensitivity" } else { "specificity" }
        ));
    }
}

/// The series or study of every slice: what was asked for, else what the predictions tell.
fn part(
    lookup: &Option<Lookup>,
    own: Option<Vec<String>>,
    ids: &[String],
) -> Result<Option<Vec<String>>, EvaluateError> {
    let values = match lookup {
        Some(lookup) => lookup.read(ids)?,
        None => match own {
            Some(own) => own.into_iter().map(Some).collect(),
            None => return Ok(None),
        },
    };
    let mut without = Tally::default();
    for (value, id) in values.iter().zip(ids) {
        if value.as_ref().is_none_or(String::is_empty) {
            without.add(|| shorten(id));
        }
    }
    if without.count == 0 {
        return Ok(Some(values.into_iter().flatten().collect()));
    }
    match lookup {
        Some(lookup) => Err(EvaluateError::Rows {
            path: lookup.path.clone(),
            what: "evaluated slices have no value there",
            tally: without,
            todo: "complete the table, or evaluate without it",
        }),
        // Slices without a series cannot be gathered; the level is left out.
        None => Ok(None),
    }
}

/// A series must lie in one study.
fn check_nested(
    series: Option<&[String]>,
    studies: Option<&[String]>,
    ids: &[String],
) -> Result<(), EvaluateError> {
    let (Some(series), Some(studies)) = (series, studies) else { return Ok(()) };
    let mut study_of = std::collections::HashMap::new();
    let mut torn = Tally::default();
    for ((series, study), id) in series.iter().zip(studies).zip(ids) {
        if study_of.entry(series).or_insert(study) != &study {
            torn.add(|| format!("{} (slice {})", shorten(series), shorten(id)));
        }
    }
    if torn.count == 0 {
        return Ok(());
    }
    Err(EvaluateError::Request(format!(
        "{} slices put a series into two studies: {torn}",
        torn.count
    )))
}

fn groups(
    request: &CaseRequest,
    own: Option<Vec<String>>,
    studies: Option<&[String]>,
    ids: &[String],
    warnings: &mut Vec<String>,
) -> Result<(Vec<String>, Grouping), EvaluateError> {
    let (kind, values): (String, Vec<Option<String>>) = match (&request.groups, own, studies) {
        (Some(lookup), ..) => (lookup.column.clone(), lookup.read(ids)?),
        (None, Some(own), _) => ("group".to_owned(), own.into_iter().map(Some).collect()),
        (None, None, Some(studies)) => {
            warnings.push(
                "patients are not known, so that studies are resampled: if a patient has several, \
                 intervals are too narrow (give --groups)"
                    .to_owned(),
            );
            ("study".to_owned(), studies.iter().cloned().map(Some).collect())
        }
        (None, None, None) => {
            warnings.push(
                "neither patients nor studies are known, so that single slices are resampled: \
                 slices of a patient are alike, and intervals are too narrow (give --groups)"
                    .to_owned(),
            );
            ("slice".to_owned(), ids.iter().cloned().map(Some).collect())
        }
    };
    let mut alone = Tally::default();
    let names: Vec<String> = values
        .into_iter()
        .zip(ids)
        .map(|(value, id)| {
            value.filter(|value| !value.is_empty()).unwrap_or_else(|| {
                alone.add(|| shorten(id));
                format!("slice={id}")
            })
        })
        .collect();
    if alone.count > 0 {
        warnings.push(format!(
            "of {} slices no group is known, and each stands alone: {alone}",
            alone.count
        ));
    }
    let groups = Clusters::new(&names).len() as u64;
    Ok((names, Grouping { kind, groups, alone: alone.count }))
}
