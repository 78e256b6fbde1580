//! The slices of series and the series of studies.

use hemora_ct::Label;

use crate::learned::whole;
use crate::{
    Aggregation, Clusters, LabelColumn, LearnedAggregation, Level, series_from_slices,
    studies_from_series,
};

/// Which slices make a series and a study, and how their probabilities do.
#[derive(Debug, Clone, Default)]
pub struct Hierarchy {
    /// Series of each slice, where known.
    pub series: Option<Clusters>,
    /// Study of each slice, where known.
    pub studies: Option<Clusters>,
    /// Position of each slice along its normal, mm, where known; empty: of none. Where all slices of a
    /// series have one they are neighbours by it, elsewhere in the order in which they came.
    pub positions: Vec<Option<f64>>,
    /// How slices make a series, or a study where no series are known.
    pub aggregation: Aggregation,
    /// A fitted rule instead.
    pub learned: Option<LearnedAggregation>,
}

/// The items of one level.
#[derive(Debug, Clone)]
pub struct LevelSet {
    /// The level.
    pub level: Level,
    /// Probabilities and truth of its items.
    pub columns: Vec<LabelColumn>,
    /// Group (patient) of its items.
    pub clusters: Clusters,
    /// Of each item its first slice.
    pub first_slices: Vec<usize>,
}

impl Hierarchy {
    /// The probability that slices' `parts` make.
    pub fn whole(&self, label: Label, parts: &mut [f64]) -> Option<f64> {
        whole(self.learned.as_ref(), self.aggregation, label, parts)
    }

    /// How slices make a whole, in a word: `run-3`, `max`, `top-3`, `noisy-or` or `learned`.
    pub fn aggregation_name(&self) -> String {
        match &self.learned {
            Some(_) => "learned".to_owned(),
            None => self.aggregation.to_string(),
        }
    }

    /// The slices of each series or study, neighbours side by side.
    fn in_order(&self, wholes: &Clusters) -> Vec<Vec<usize>> {
        let mut members = wholes.members();
        let position = |item: usize| self.positions.get(item).copied().flatten();
        for items in &mut members {
            if items.iter().all(|&item| position(item).is_some()) {
                let at = |item: usize| position(item).unwrap_or_default();
                items.sort_by(|&a, &b| at(a).total_cmp(&at(b)));
            }
        }
        members
    }

    /// How many series, or studies where no series are known, have slices of which some have no position,
    /// and how many there are.
    pub fn without_order(&self) -> [usize; 2] {
        let Some(wholes) = self.series.as_ref().or(self.studies.as_ref()) else { return [0; 2] };
        let members = wholes.members();
        let is_known = |item: &usize| self.positions.get(*item).is_some_and(Option::is_some);
        let lack = |items: &&Vec<usize>| items.len() > 1 && !items.iter().all(is_known);
        [members.iter().filter(lack).count(), members.len()]
    }

    /// The slices and, where known, their series and studies. `clusters` are the groups (patients)
    /// of the slices; a series or study belongs to the group of its first slice.
    pub fn levels(&self, slices: Vec<LabelColumn>, clusters: &Clusters) -> Vec<LevelSet> {
        let firsts = |parts: &Clusters| -> Vec<usize> {
            parts.members().iter().map(|items| items[0]).collect()
        };
        let groups = |firsts: &[usize]| {
            let group = |&slice: &usize| clusters.of_items()[slice];
            Clusters::new(&firsts.iter().map(group).collect::<Vec<_>>())
        };
        let mut levels = Vec::new();
        let series = self.series.as_ref().map(|series| {
            let first_slices = firsts(series);
            LevelSet {
                level: Level::Series,
                columns: series_from_slices(&slices, &self.in_order(series), |label, parts| {
                    self.whole(label, parts)
                }),
                clusters: groups(&first_slices),
                first_slices,
            }
        });
        let studies = self.studies.as_ref().map(|studies| {
            let columns = match &series {
                None => {
                    let studies = self.in_order(studies);
                    series_from_slices(&slices, &studies, |label, parts| self.whole(label, parts))
                }
                Some(series) => {
                    let study = |&slice: &usize| studies.of_items()[slice];
                    let of_series: Vec<u32> = series.first_slices.iter().map(study).collect();
                    studies_from_series(&series.columns, &Clusters::new(&of_series))
                }
            };
            let first_slices = firsts(studies);
            let clusters = groups(&first_slices);
            LevelSet { level: Level::Study, columns, clusters, first_slices }
        });
        levels.push(LevelSet {
            level: Level::Slice,
            first_slices: (0..clusters.of_items().len()).collect(),
            columns: slices,
            clusters: clusters.clone(),
        });
        levels.extend(series);
        levels.extend(studies);
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_studies_keep_their_patients() {
        let column = LabelColumn {
            label: Label::Any,
            probabilities: vec![0.1, 0.9, 0.4, 0.6, 0.2],
            truth: vec![false, true, false, false, false],
        };
        let hierarchy = Hierarchy {
            series: Some(Clusters::new(&["a", "a", "b", "c", "c"])),
            studies: Some(Clusters::new(&["s", "s", "s", "t", "t"])),
            aggregation: Aggregation::Max,
            ..Hierarchy::default()
        };
        let patients = Clusters::new(&["p", "p", "p", "p", "p"]);
        let levels = hierarchy.levels(vec![column.clone()], &patients);
        assert_eq!(levels.len(), 3);
        assert_eq!(levels[1].columns[0].probabilities, [0.9, 0.4, 0.6]);
        assert_eq!(levels[2].columns[0].probabilities, [0.9, 0.6]);
        assert_eq!(levels[2].columns[0].truth, [true, false]);
        assert_eq!((levels[2].clusters.len(), levels[2].first_slices.clone()), (1, vec![0, 3]));
        let without = Hierarchy { series: None, ..hierarchy };
        let levels = without.levels(vec![column], &patients);
        assert_eq!(levels[1].level, Level::Study);
        assert_eq!(levels[1].columns[0].probabilities, [0.9, 0.6]);
    }

    #[test]
    fn runs_are_of_slices_that_lie_side_by_side() {
        let column = LabelColumn {
            label: Label::Any,
            probabilities: vec![0.9, 0.2, 0.9, 0.2, 0.6, 0.2],
            truth: vec![true, false, true, false, true, false],
        };
        let runs = |positions: Vec<Option<f64>>| {
            let hierarchy = Hierarchy {
                series: Some(Clusters::new(&["a", "a", "a", "a", "b", "b"])),
                positions,
                aggregation: Aggregation::RunMean(2),
                ..Hierarchy::default()
            };
            let patients = Clusters::new(&["p"; 6]);
            let levels = hierarchy.levels(vec![column.clone()], &patients);
            (levels[1].columns[0].probabilities.clone(), hierarchy.without_order())
        };
        let (by_rows, lack) = runs(Vec::new());
        assert_eq!(lack, [2, 2]);
        // The odds of 9 and 1/4: the root of 9/4.
        assert!((by_rows[0] - 1.5 / 2.5).abs() < 1e-12, "{by_rows:?}");
        let known = [0.0, 20.0, 5.0, 10.0].map(Some).into_iter().chain([None, Some(0.0)]);
        // A position that is no number is sorted somewhere, and nothing breaks.
        let odd = [Some(f64::NAN), Some(1.0), None, Some(f64::NAN)].repeat(2);
        assert!(runs(odd[..6].to_vec()).0.iter().all(|it| it.is_finite()));
        let (by_position, lack) = runs(known.collect());
        assert_eq!(lack, [1, 2]);
        assert!((by_position[0] - 0.9).abs() < 1e-12, "{by_position:?}");
        assert_eq!(by_position[1], by_rows[1]);
    }
}
