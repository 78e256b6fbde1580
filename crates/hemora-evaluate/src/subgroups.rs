//! Parts of the slices by the values of a column.

use std::collections::BTreeMap;

use hemora_eval::{Clusters, LabelColumn, MeasureOptions, OperatingPoint, SetMetrics, measure};

use crate::document::{Subgroup, SubgroupDecision, SubgroupLabel};
use crate::{Cases, EvaluateError, Lookup};

/// Most values of a column: more are no groups.
const MOST: usize = 50;

/// Fewer positives, negatives or groups than these say little.
const FEW_ITEMS: u64 = 10;
const FEW_GROUPS: u64 = 5;

/// Measures the slices of each value of a column.
pub(crate) fn subgroups(
    cases: &Cases,
    lookup: &Lookup,
    points: &[OperatingPoint],
    options: &MeasureOptions,
) -> Result<Vec<Subgroup>, EvaluateError> {
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (slice, value) in lookup.read(&cases.ids)?.into_iter().enumerate() {
        parts.entry(value.unwrap_or_else(|| "(unknown)".to_owned())).or_default().push(slice);
    }
    if parts.len() > MOST {
        return Err(EvaluateError::Request(format!(
            "{lookup} has {} different values; give a column with at most {MOST}, such as ranges",
            parts.len()
        )));
    }
    let mut subgroups = Vec::with_capacity(parts.len());
    for (value, slices) in parts {
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
        subgroups.push(subgroup(&lookup.column, value, metrics));
    }
    Ok(subgroups)
}

fn subgroup(column: &str, value: String, metrics: SetMetrics) -> Subgroup {
    let (items, groups) = (metrics.items, metrics.groups);
    let label = |label: hemora_eval::LabelMetrics| SubgroupLabel {
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
