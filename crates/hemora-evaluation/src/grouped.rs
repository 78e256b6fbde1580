//! Which slices belong together: series, studies, and the groups that are resampled.

use std::collections::HashMap;

use hemora_data::{TableColumn, shorten};
use hemora_metrics::Clusters;

use crate::document::Grouping;
use crate::lookup::read_column;
use crate::{CaseRequest, EvaluateError, Tally};

/// The `level`, series or study, of every slice: what was asked for, else that of the predictions or the
/// index.
pub(crate) fn part(
    level: &str,
    column: &Option<TableColumn>,
    own: Option<Vec<String>>,
    ids: &[String],
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<String>>, EvaluateError> {
    let values = match column {
        Some(column) => read_column(column, ids)?,
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
    match column {
        Some(column) => Err(EvaluateError::Rows {
            path: column.table.clone(),
            what: "evaluated slices have no value there",
            tally: without,
            todo: "complete the table, or evaluate without it",
        }),
        // Slices without a series cannot be gathered.
        None => {
            if without.count < ids.len() as u64 {
                warnings.push(format!(
                    "of {} slices the {level} is not known, and the level of {level} is left out: \
                     {without}",
                    without.count
                ));
            }
            Ok(None)
        }
    }
}

/// A series must lie in one study.
pub(crate) fn check_nested(
    series: Option<&[String]>,
    studies: Option<&[String]>,
    ids: &[String],
) -> Result<(), EvaluateError> {
    let (Some(series), Some(studies)) = (series, studies) else { return Ok(()) };
    let mut study_of = HashMap::new();
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

/// Begins the name of the group of a slice of which none is known.
pub(crate) const ALONE: &str = "slice=";

/// Fewer groups than these give no interval that keeps its word: see the simulation in
/// `hemora-metrics`'s tests, where 25 groups still miss theirs by three of a hundred.
const FEW_GROUPS: u64 = 20;

/// What is known of the groups of slices.
pub(crate) struct Known<'a> {
    /// Patients, by the index; empty where unknown.
    pub(crate) patients: Option<Vec<String>>,
    /// Groups, by the predictions.
    pub(crate) own: Option<Vec<String>>,
    /// Studies.
    pub(crate) studies: Option<&'a [String]>,
}

/// The group of every slice by name, and what a group is.
pub(crate) fn groups(
    request: &CaseRequest,
    known: Known<'_>,
    ids: &[String],
    warnings: &mut Vec<String>,
) -> Result<(Vec<String>, Grouping), EvaluateError> {
    let Known { patients, own, studies } = known;
    let patients = patients.filter(|patients| patients.iter().any(|patient| !patient.is_empty()));
    let (kind, values): (String, Vec<Option<String>>) = match (&request.groups, patients) {
        (Some(column), _) => (column.column.clone(), read_column(column, ids)?),
        (None, Some(patients)) => {
            ("patient".to_owned(), patients_or(patients, own, studies, ids, warnings))
        }
        (None, None) => match (own, studies) {
            (Some(own), _) => ("group".to_owned(), own.into_iter().map(Some).collect()),
            (None, Some(studies)) => {
                warnings.push(
                    "patients are not known, so that studies are resampled: if a patient has \
                     several, intervals are too narrow (give --groups)"
                        .to_owned(),
                );
                ("study".to_owned(), studies.iter().cloned().map(Some).collect())
            }
            (None, None) => {
                warnings.push(
                    "neither patients nor studies are known, so that single slices are resampled: \
                     slices of a patient are alike, and intervals are too narrow (give --groups)"
                        .to_owned(),
                );
                ("slice".to_owned(), ids.iter().cloned().map(Some).collect())
            }
        },
    };
    let mut alone = Tally::default();
    let names: Vec<String> = values
        .into_iter()
        .zip(ids)
        .map(|(value, id)| {
            value.filter(|value| !value.is_empty()).unwrap_or_else(|| {
                alone.add(|| shorten(id));
                format!("{ALONE}{id}")
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
    if groups < FEW_GROUPS {
        warnings.push(format!(
            "only {groups} groups ({kind}) can be resampled: intervals from so few promise too much"
        ));
    }
    Ok((names, Grouping { kind, groups, alone: alone.count }))
}

/// The patient of each slice, or what else holds slices of one patient together.
fn patients_or(
    patients: Vec<String>,
    own: Option<Vec<String>>,
    studies: Option<&[String]>,
    ids: &[String],
    warnings: &mut Vec<String>,
) -> Vec<Option<String>> {
    let mut without = Tally::default();
    let values = patients
        .into_iter()
        .enumerate()
        .map(|(slice, patient)| {
            if !patient.is_empty() {
                return Some(patient);
            }
            let own = own.as_ref().map(|own| own[slice].as_str()).filter(|own| !own.is_empty());
            let study = studies.map(|studies| studies[slice].as_str());
            let instead = own.map(|own| format!("group={own}"));
            let instead = instead.or_else(|| study.map(|study| format!("study={study}")))?;
            without.add(|| shorten(&ids[slice]));
            Some(instead)
        })
        .collect();
    if without.count > 0 {
        warnings.push(format!(
            "of {} slices the patient is not known; their group or study stands in: {without}",
            without.count
        ));
    }
    values
}
