//! Tables of several models, checked and brought into one order.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use hemora_ct::LABEL_COUNT;
use hemora_data::{SliceTable, SliceTableError};

use crate::{EvaluateError, Tally};

pub(super) type Probabilities = Vec<[f32; LABEL_COUNT]>;

/// The first table, and the probabilities of all in the order of its rows.
pub(super) fn read_tables(
    tables: &[(String, PathBuf)],
) -> Result<(SliceTable, Vec<Probabilities>), EvaluateError> {
    let mut first: Option<SliceTable> = None;
    let mut models = Vec::with_capacity(tables.len());
    for (name, path) in tables {
        if tables.iter().filter(|(other, _)| other == name).count() > 1 {
            let reason = format!("two models are called `{name}`; name them as NAME=TABLE");
            return Err(EvaluateError::Request(reason));
        }
        let table = read_table(path)?;
        let Some(first) = &first else {
            models.push(table.rows.iter().map(|row| row.probabilities).collect());
            first = Some(table);
            continue;
        };
        models.push(aligned(first, &table, path)?);
    }
    let first = first.filter(|table| !table.rows.is_empty());
    let none = || EvaluateError::Request("there are no predictions".to_owned());
    Ok((first.ok_or_else(none)?, models))
}

fn read_table(path: &Path) -> Result<SliceTable, EvaluateError> {
    SliceTable::read(path).map_err(|error| match error {
        SliceTableError::Table(error) => EvaluateError::Table(error),
        other => EvaluateError::Request(format!("{}: {other}", path.display())),
    })
}

/// The probabilities of a table in the order of the first one's rows.
fn aligned(
    first: &SliceTable,
    table: &SliceTable,
    path: &Path,
) -> Result<Probabilities, EvaluateError> {
    let rows: HashMap<&str, usize> =
        table.rows.iter().enumerate().map(|(at, row)| (row.id.as_str(), at)).collect();
    let known: HashSet<&str> = first.rows.iter().map(|row| row.id.as_str()).collect();
    let mut missing = Tally::default();
    let mut others = Tally::default();
    let mut folds = Tally::default();
    let mut labels = Tally::default();
    for row in table.rows.iter().filter(|row| !known.contains(row.id.as_str())) {
        others.add(|| row.id.clone());
    }
    let mut probabilities = Vec::with_capacity(first.rows.len());
    for row in &first.rows {
        let Some(other) = rows.get(row.id.as_str()).map(|&at| &table.rows[at]) else {
            missing.add(|| row.id.clone());
            continue;
        };
        if other.fold != row.fold {
            folds.add(|| row.id.clone());
        }
        if other.labels != row.labels {
            labels.add(|| row.id.clone());
        }
        probabilities.push(other.probabilities);
    }
    for (tally, what, todo) in [
        (missing, "slices of the first table are absent", SAME),
        (others, "slices are not in the first table", SAME),
        (
            folds,
            "slices are in another fold than in the first table",
            "train all on the same folds",
        ),
        (labels, "slices have other labels than in the first table", SAME),
    ] {
        if tally.count > 0 {
            return Err(EvaluateError::Rows { path: path.to_owned(), what, tally, todo });
        }
    }
    Ok(probabilities)
}

/// What to do about tables that do not fit together.
const SAME: &str = "give predictions of the same data set";
