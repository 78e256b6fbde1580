//! The worst mistakes.

use hemora_ct::Label;

use crate::Cases;
use crate::document::{Mistake, MistakeKind};
use crate::grouped::ALONE;

/// The `most` positives with the lowest and negatives with the highest probability, for any
/// hemorrhage or else the first label. Of equal ones the first come first.
pub(crate) fn mistakes(cases: &Cases, most: usize) -> Vec<Mistake> {
    let any = cases.columns.iter().find(|column| column.label == Label::Any);
    let Some(column) = any.or(cases.columns.first()) else { return Vec::new() };
    let mistake = |kind, slice: usize| Mistake {
        kind,
        id: cases.ids[slice].clone(),
        group: Some(&cases.group_names[slice])
            .filter(|name| cases.grouping.kind != "slice" && !name.starts_with(ALONE))
            .cloned(),
        label: column.label,
        probability: column.probabilities[slice],
        truth: cases
            .columns
            .iter()
            .filter(|other| other.label != Label::Any && other.truth[slice])
            .map(|other| other.label)
            .collect(),
    };
    let worst = |kind, positive: bool| {
        let mut slices: Vec<usize> =
            (0..cases.ids.len()).filter(|&slice| column.truth[slice] == positive).collect();
        slices.sort_by(|&a, &b| {
            let order = column.probabilities[a].total_cmp(&column.probabilities[b]);
            if positive { order } else { order.reverse() }
        });
        slices.truncate(most);
        slices.into_iter().map(move |slice| mistake(kind, slice)).collect::<Vec<_>>()
    };
    let mut all = worst(MistakeKind::FalseNegative, true);
    all.extend(worst(MistakeKind::FalsePositive, false));
    all
}
