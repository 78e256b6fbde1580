//! Lesions instead of slices: runs of consecutive positive slices of a series, and how many of them
//! are found.

use hemora_ct::{Label, stack};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BootstrapOptions, Clusters, Interval, LabelColumn, MetricError, OperatingPoint, Proportion,
    bootstrap_counts, wilson,
};

/// Lengths of runs that are told apart, slices: first and last.
const LENGTHS: [(u32, Option<u32>); 4] = [(1, Some(1)), (2, Some(3)), (4, Some(6)), (7, None)];

/// Neighbours lie closer than this many times the series' median distance; what lies further apart
/// is not consecutive.
const GAP: f64 = 1.8;

/// Slices of each series in the order of their positions, in pieces without gaps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stacks {
    /// Slices of each piece, and the series that it is of.
    pieces: Vec<(usize, Vec<usize>)>,
    /// Series with a position for every slice.
    series: Vec<usize>,
    /// First slice of each series.
    firsts: Vec<usize>,
    /// Series without.
    unordered: u64,
}

impl Stacks {
    /// Orders the slices of each of `series` by `positions`, mm; a series of which a position is
    /// unknown is left out and counted.
    pub fn new(series: &Clusters, positions: &[Option<f64>]) -> Self {
        let mut stacks = Self::default();
        for (number, items) in series.members().into_iter().enumerate() {
            let placed: Option<Vec<(f64, usize)>> = items
                .iter()
                .map(|&item| {
                    let position = positions.get(item).copied().flatten();
                    Some((position.filter(|position| position.is_finite())?, item))
                })
                .collect();
            stacks.firsts.push(items[0]);
            let Some(mut placed) = placed else {
                stacks.unordered += 1;
                continue;
            };
            placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let along: Vec<f64> = placed.iter().map(|(position, _)| *position).collect();
            let widest = stack::median_spacing(&along).map_or(f64::INFINITY, |mm| mm * GAP);
            stacks.series.push(number);
            for piece in placed.chunk_by(|one, other| other.0 - one.0 <= widest) {
                stacks.pieces.push((number, piece.iter().map(|(_, slice)| *slice).collect()));
            }
        }
        stacks
    }

    /// Series whose order is known.
    pub fn ordered(&self) -> u64 {
        self.series.len() as u64
    }

    /// Series left out for want of positions.
    pub fn unordered(&self) -> u64 {
        self.unordered
    }

    /// Runs of slices for which `is` holds, longest possible, each with its series.
    fn runs(&self, is: impl Fn(usize) -> bool) -> Vec<(usize, Vec<usize>)> {
        let mut runs = Vec::new();
        for (series, slices) in &self.pieces {
            for run in slices.chunk_by(|&one, &other| is(one) == is(other)) {
                if is(run[0]) {
                    runs.push((*series, run.to_vec()));
                }
            }
        }
        runs
    }
}

/// The runs of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LesionMetrics {
    /// The label.
    pub label: Label,
    /// Runs of consecutive slices that have it.
    pub runs: u64,
    /// At the operating points of slices.
    pub decisions: Vec<LesionDecisions>,
}

/// How many runs an operating point finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LesionDecisions {
    /// Name of the operating point.
    pub name: String,
    /// Its threshold.
    pub threshold: f64,
    /// Runs of which at least one slice is called positive.
    pub found: u64,
    /// Their share, resampled by groups.
    pub sensitivity: Interval,
    /// Runs of called slices none of which is positive.
    pub false_runs: u64,
    /// Such runs a series, resampled by groups.
    pub false_runs_a_series: Interval,
    /// The same by the length of the runs.
    pub lengths: Vec<LesionLength>,
}

/// Runs of some lengths.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LesionLength {
    /// Fewest slices.
    pub from: u32,
    /// Most slices; absent if there is no limit.
    pub to: Option<u32>,
    /// How many are found, with Wilson's interval.
    pub found: Proportion,
}

/// Counts the runs of each label and those found at its operating points. `clusters` are the groups
/// (patients) of the slices.
///
/// # Errors
/// [`MetricError`] of the options.
pub fn lesions(
    columns: &[LabelColumn],
    stacks: &Stacks,
    clusters: &Clusters,
    points: &[OperatingPoint],
    options: &BootstrapOptions,
) -> Result<Vec<LesionMetrics>, MetricError> {
    columns
        .iter()
        .map(|column| {
            let runs = stacks.runs(|slice| column.truth[slice]);
            let own = points.iter().filter(|point| point.label == column.label);
            let decisions =
                own.map(|point| decide(column, stacks, clusters, point, &runs, options));
            Ok(LesionMetrics {
                label: column.label,
                runs: runs.len() as u64,
                decisions: decisions.collect::<Result<_, MetricError>>()?,
            })
        })
        .collect()
}

fn decide(
    column: &LabelColumn,
    stacks: &Stacks,
    clusters: &Clusters,
    point: &OperatingPoint,
    runs: &[(usize, Vec<usize>)],
    options: &BootstrapOptions,
) -> Result<LesionDecisions, MetricError> {
    let called = |slice: usize| column.probabilities[slice] >= point.threshold;
    let found = |run: &[usize]| run.iter().any(|&slice| called(slice));
    let false_runs: Vec<_> = stacks
        .runs(called)
        .into_iter()
        .filter(|(_, run)| run.iter().all(|&slice| !column.truth[slice]))
        .collect();
    // Per group: runs, runs found, series, false runs.
    let mut sums = vec![[0u64; 4]; clusters.len()];
    let group = |series: usize| clusters.of_items()[stacks.firsts[series]] as usize;
    for (series, run) in runs {
        sums[group(*series)][0] += 1;
        sums[group(*series)][1] += u64::from(found(run));
    }
    stacks.series.iter().for_each(|&series| sums[group(series)][2] += 1);
    false_runs.iter().for_each(|(series, _)| sums[group(*series)][3] += 1);
    let (intervals, _) = bootstrap_counts(clusters, options, 2, |counts, values| {
        let mut totals = [0u64; 4];
        for (sum, &count) in sums.iter().zip(counts) {
            totals.iter_mut().zip(sum).for_each(|(total, one)| *total += one * u64::from(count));
        }
        let share = |a: u64, b: u64| (b > 0).then(|| a as f64 / b as f64);
        values[0] = share(totals[1], totals[0]);
        values[1] = share(totals[3], totals[2]);
    })?;
    let lengths = LENGTHS.map(|(from, to)| {
        let fits = |run: &&(usize, Vec<usize>)| {
            let length = run.1.len() as u32;
            length >= from && to.is_none_or(|to| length <= to)
        };
        let all = runs.iter().filter(fits).count() as u64;
        let hits = runs.iter().filter(fits).filter(|(_, run)| found(run)).count() as u64;
        let found = wilson(hits, all, options.confidence)?;
        Ok(LesionLength { from, to, found })
    });
    let all = wilson(
        runs.iter().filter(|(_, run)| found(run)).count() as u64,
        runs.len() as u64,
        options.confidence,
    )?;
    Ok(LesionDecisions {
        name: point.name.clone(),
        threshold: point.threshold,
        found: all.count,
        sensitivity: intervals[0].or_wilson(&all),
        false_runs: false_runs.len() as u64,
        false_runs_a_series: intervals[1],
        lengths: lengths.into_iter().collect::<Result<_, MetricError>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_with_every_slice_twice_is_one_piece() {
        let positions: Vec<Option<f64>> =
            (0..8).map(|slice| Some(f64::from(slice / 2) * 5.0)).collect();
        let stacks = Stacks::new(&Clusters::new(&["a"; 8]), &positions);
        assert_eq!(stacks.pieces, [(0, (0..8).collect())]);
        assert_eq!(stacks.runs(|slice| slice > 1).len(), 1);
    }

    #[test]
    fn runs_worked_by_hand() {
        // Series a: slices 0–7, 5 mm apart but for a gap before slice 6; series b has no positions.
        let series = Clusters::new(&["a", "a", "a", "a", "a", "a", "a", "a", "b", "b"]);
        let mut positions: Vec<Option<f64>> =
            [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 40.0, 45.0].map(Some).to_vec();
        positions.extend([None, Some(1.0)]);
        // Stored out of order: position decides.
        positions.swap(1, 2);
        let stacks = Stacks::new(&series, &positions);
        assert_eq!((stacks.ordered(), stacks.unordered()), (1, 1));
        let truth = [false, true, true, false, false, true, true, false, true, false];
        let column = LabelColumn {
            label: Label::Any,
            probabilities: vec![0.9, 0.8, 0.1, 0.1, 0.7, 0.2, 0.1, 0.9, 0.9, 0.9],
            truth: truth.to_vec(),
        };
        let runs = stacks.runs(|slice| column.truth[slice]);
        let slices: Vec<_> = runs.iter().map(|(_, run)| run.clone()).collect();
        assert_eq!(slices, [vec![2, 1], vec![5], vec![6]], "the gap parts 5 and 6");
        let point = OperatingPoint::half(Label::Any);
        let patients = Clusters::new(&[1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
        let options = BootstrapOptions { repeats: 20, ..BootstrapOptions::default() };
        let found = lesions(&[column], &stacks, &patients, &[point], &options).unwrap();
        assert_eq!(found[0].runs, 3);
        let decisions = &found[0].decisions[0];
        // Of the first run slice 1 is called; 0, 4 and 7 are called alone.
        assert_eq!((decisions.found, decisions.false_runs), (1, 3));
        assert_eq!(decisions.sensitivity.value, Some(1.0 / 3.0));
        assert_eq!(decisions.false_runs_a_series.value, Some(3.0));
        let lengths: Vec<_> =
            decisions.lengths.iter().map(|it| (it.found.count, it.found.total)).collect();
        assert_eq!(lengths, [(0, 2), (1, 1), (0, 0), (0, 0)]);
        assert!(decisions.sensitivity.low < decisions.sensitivity.high, "one patient: Wilson's");
    }
}
