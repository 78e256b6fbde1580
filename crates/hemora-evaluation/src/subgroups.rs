//! Parts of the slices by the values of a column.

use hemora_data::TableColumn;
use hemora_metrics::{Clusters, LabelColumn, MeasureOptions, OperatingPoint, SetMetrics, measure};

use crate::document::{Subgroup, SubgroupDecision, SubgroupLabel};
use crate::lookup::read_column;
use crate::strata::{Strata, Stratum, part};
use crate::{Cases, EvaluateError};

/// Most values of a column: more are no groups.
const MOST: usize = 50;

/// Fewer positives, negatives or groups than these say little.
const FEW_ITEMS: u64 = 10;
const FEW_GROUPS: u64 = 5;

/// The slices by the values of a column of a table.
pub(crate) fn looked_up(cases: &Cases, column: &TableColumn) -> Result<Strata, EvaluateError> {
    let values = read_column(column, &cases.ids)?;
    let values = values.into_iter().map(|value| Some((0, value?))).collect();
    let strata = part(&column.column, values);
    if strata.strata.len() > MOST {
        return Err(EvaluateError::Request(format!(
            "{column} has {} different values; give a column with at most {MOST}, such as ranges",
            strata.strata.len()
        )));
    }
    Ok(strata)
}

/// Measures the slices of each value of a column.
pub(crate) fn subgroups(
    cases: &Cases,
    strata: &Strata,
    points: &[OperatingPoint],
    options: &MeasureOptions,
) -> Result<Vec<Subgroup>, EvaluateError> {
    let mut subgroups = Vec::with_capacity(strata.strata.len());
    for Stratum { value, slices } in &strata.strata {
        let columns: Vec<LabelColumn> = cases
            .columns
            .iter()
            .map(|column| LabelColumn {
                label: column.label,
                probabilities: slices.iter().map(|&slice| column.probabilities[slice]).collect(),
                truth: slices.iter().map(|&slice| column.truth[slice]).collect(),
            })
            .collect();
        let groups: Vec<u32> =
            slices.iter().map(|&slice| cases.clusters.of_items()[slice]).collect();
        let metrics = measure(&columns, &Clusters::new(&groups), points, options)?;
        subgroups.push(subgroup(&strata.column, value.clone(), metrics));
    }
    Ok(subgroups)
}

fn subgroup(column: &str, value: String, metrics: SetMetrics) -> Subgroup {
    let (items, groups) = (metrics.items, metrics.groups);
    let label = |label: hemora_metrics::LabelMetrics| SubgroupLabel {
        label: label.label,
        positives: label.positives,
        small: label.positives < FEW_ITEMS
            || items - label.positives < FEW_ITEMS
            || groups < FEW_GROUPS,
        auroc: label.auroc,
        decisions: label
            .decisions
            .into_iter()
            .map(|decision| SubgroupDecision {
                name: decision.point.name,
                sensitivity: decision.sensitivity,
                specificity: decision.specificity,
            })
            .collect(),
    };
    Subgroup {
        column: column.to_owned(),
        value,
        items,
        groups,
        labels: metrics.labels.into_iter().map(label).collect(),
    }
}
