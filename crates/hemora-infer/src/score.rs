//! One series to the probabilities of its slices.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use hemora_ct::{
    HuProblem, InputRecipe, LABEL_COUNT, Label, Probabilities, Slice, Views, hu_problems,
    shows_head,
};
use hemora_io::{FileFormat, Series};
use hemora_metrics::Calibration;

use crate::Engine;
use crate::maps::SliceMaps;
use crate::scorer::Scorer;
use crate::slabs::Slabs;
use crate::spent::Spent;
use crate::stack::{Window, map_windows};
use hemora_model::SkippedFile;

/// What an engine says about a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesScore {
    /// The scored slices in the order of the series.
    pub slices: Vec<SliceScore>,
    /// What speaks against the HU of slices, by their index in the series.
    pub implausible: BTreeMap<usize, Vec<HuProblem>>,
    /// Whether slices were read, and none of them shows a head.
    pub headless: bool,
    /// Slices without a result, in the order of the series.
    pub skipped: Vec<SkippedFile>,
}

/// What several networks say about a series: about its slices, or the slabs that they were averaged to.
pub(crate) struct Scored {
    /// Network by network; all of the same slices.
    pub members: Vec<MemberScore>,
    /// The maps of the scored slices or slabs by their index, where networks give some.
    pub maps: BTreeMap<usize, SliceMaps>,
    pub implausible: BTreeMap<usize, Vec<HuProblem>>,
    pub headless: bool,
    pub skipped: Vec<SkippedFile>,
    /// Why slices have no result, by their index in the series; those of `skipped`.
    pub unread: BTreeMap<usize, String>,
}

/// What one of them says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct MemberScore {
    /// The scored slices in the order of the series.
    pub slices: Vec<SliceScore>,
    /// The pooled features of each of `slices`; empty where nobody reads them.
    pub features: Vec<Vec<f32>>,
}

/// What an engine says about one slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceScore {
    /// Index of the slice in its series; inside of triage, where slices are averaged, that of the slab.
    pub index: usize,
    /// The six probabilities.
    pub probabilities: Probabilities,
}

impl SeriesScore {
    /// Per label what `whole` makes of the slices, in their order; `None` if no slice was scored.
    pub fn probabilities(
        &self,
        whole: impl Fn(Label, &mut [f64]) -> Option<f64>,
    ) -> Option<Probabilities> {
        let mut wholes = [0f32; LABEL_COUNT];
        for (label, made) in Label::ALL.into_iter().zip(&mut wholes) {
            let part = |slice: &SliceScore| f64::from(slice.probabilities.get(label));
            let mut parts: Vec<f64> = self.slices.iter().map(part).collect();
            *made = whole(label, &mut parts)? as f32;
        }
        Some(Probabilities::from_array(wholes))
    }
}

/// Puts the probabilities of every slice through a model's calibration.
pub(crate) fn calibrate(slices: &mut [SliceScore], calibration: &Calibration) {
    for slice in slices {
        let raw = slice.probabilities.to_array();
        slice.probabilities = Probabilities::from_array(calibration.apply(raw));
    }
}

/// Scores the slices of a series on all cores. `progress(done, total)` is called from any thread.
///
/// A slice that cannot be decoded, or on which the engine fails, goes to
/// [`SeriesScore::skipped`]; the others go on. Where a neighbour that the recipe asks for cannot
/// be decoded, the nearest one between it and the slice stands in. The probabilities are the means
/// over `views`. A few slices per core are held
/// at a time, whatever the length of the series.
pub fn score_series(
    engine: &dyn Engine,
    recipe: &InputRecipe,
    views: Views,
    series: &Series,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> SeriesScore {
    let weights = [1.0; LABEL_COUNT];
    let scorer = Scorer { engine, recipe, views, with_features: false, weights };
    let go_on = |done, total| {
        progress(done, total);
        ControlFlow::Continue(())
    };
    let ControlFlow::Continue(Scored { members, implausible, headless, skipped, .. }) =
        score(&[scorer], series, &Slabs::single(series.slices.len()), &Spent::default(), &go_on)
    else {
        return SeriesScore::default();
    };
    let slices = members.into_iter().next().unwrap_or_default().slices;
    SeriesScore { slices, implausible, headless, skipped }
}

/// The same with several networks, which see each slice one after the other, so that it is decoded
/// once. A slice on which one of them fails has no result. Breaks soon after `progress` does.
///
/// Scored are `slabs` of the series, by whose numbers the results go; progress counts slices, `spent` the time.
pub(crate) fn score(
    scorers: &[Scorer<'_>],
    series: &Series,
    slabs: &Slabs,
    spent: &Spent,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> ControlFlow<(), Scored> {
    let stopped = AtomicBool::new(false);
    let check = || match stopped.load(Ordering::Relaxed) {
        true => Err("stopped".to_owned()),
        false => Ok(()),
    };
    let (done, total) = (AtomicUsize::new(0), series.slices.len());
    let implausible = Mutex::new(BTreeMap::new());
    let (any_read, any_head) = (AtomicBool::new(false), AtomicBool::new(false));
    let decode = |index: usize| {
        let slice = read_one(series, index)?;
        // A window cuts air and bone off: the series has a warning that says so.
        let problems = match series.slices[index].format {
            FileFormat::Picture(_) => Vec::new(),
            FileFormat::Dicom | FileFormat::Volume(_) => {
                any_read.store(true, Ordering::Relaxed);
                if !any_head.load(Ordering::Relaxed) && shows_head(&slice) {
                    any_head.store(true, Ordering::Relaxed);
                }
                hu_problems(&slice)
            }
        };
        if !problems.is_empty() {
            implausible.lock().unwrap_or_else(PoisonError::into_inner).insert(index, problems);
        }
        Ok(slice)
    };
    let read = |index: usize| {
        check()?;
        spent.decoding.time(|| decode(index))
    };
    let reach = scorers.iter().map(|scorer| scorer.recipe.reach()).max().unwrap_or(0);
    // Networks with one recipe, as those of a run's folds have, share its input.
    let first = |at: usize| {
        let same = |&other: &usize| scorers[other].recipe == scorers[at].recipe;
        (0..at).find(same).unwrap_or(at)
    };
    let inputs_of: Vec<usize> = (0..scorers.len()).map(first).collect();
    let run = |window: &Window, index: usize| {
        check()?;
        let mut inputs: Vec<Vec<f32>> = vec![Vec::new(); scorers.len()];
        let mut all = Vec::with_capacity(scorers.len());
        let mut maps = Vec::new();
        for (at, (scorer, &input)) in scorers.iter().zip(&inputs_of).enumerate() {
            if input == at {
                inputs[at] = spent.inputs.time(|| window.input(scorer.recipe, index))?;
            }
            let said = spent.networks.time(|| scorer.mean_of_views(&inputs[input]))?;
            maps.extend(said.maps.map(|map| (scorer, map)));
            all.push((said.probabilities, said.features));
        }
        let slice = window.slice(index)?;
        Ok((all, SliceMaps::combine(&maps, [slice.rows(), slice.columns()])))
    };
    let unread = Mutex::new(BTreeMap::new());
    let read = |slab: usize| slabs.read(slab, &read, &unread);
    let results = map_windows(reach, slabs.len(), &read, &run, &|slab| {
        for _ in slabs.slices(slab) {
            if progress(done.fetch_add(1, Ordering::Relaxed) + 1, total).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    });
    if stopped.into_inner() {
        return ControlFlow::Break(());
    }
    let implausible = implausible.into_inner().unwrap_or_else(PoisonError::into_inner);
    let members = scorers.iter().map(|_| MemberScore::default()).collect();
    let headless = any_read.into_inner() && !any_head.into_inner();
    let (maps, skipped) = (BTreeMap::new(), Vec::new());
    let unread = unread.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut scored = Scored { members, maps, implausible, headless, skipped, unread };
    for (index, result) in results.into_iter().enumerate() {
        match result {
            Ok((all, maps)) => {
                scored.maps.extend(maps.map(|maps| (index, maps)));
                for (member, (probabilities, features)) in scored.members.iter_mut().zip(all) {
                    member.slices.push(SliceScore { index, probabilities });
                    member.features.extend(features);
                }
            }
            Err(reason) => {
                for slice in slabs.slices(index) {
                    scored.unread.entry(slice).or_insert_with(|| reason.clone());
                }
            }
        }
    }
    let skipped = scored.unread.iter().map(|(&slice, reason)| SkippedFile {
        source: series.slices[slice].source.to_string(),
        reason: reason.clone(),
        failed: true,
    });
    scored.skipped = skipped.collect();
    ControlFlow::Continue(scored)
}

/// Decodes one slice of a series and turns it upright; an error is the reason as text.
pub(crate) fn read_one(series: &Series, index: usize) -> Result<Slice, String> {
    match series.read_slice(index) {
        Ok((_, slice)) => Ok(slice.into_upright()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use hemora_metrics::Aggregation;

    use super::*;

    fn score(any: &[f32]) -> SeriesScore {
        let slice = |(index, &any)| {
            let probabilities = Probabilities { any, epidural: 1.0 - any, ..Default::default() };
            SliceScore { index, probabilities }
        };
        SeriesScore { slices: any.iter().enumerate().map(slice).collect(), ..Default::default() }
    }

    #[test]
    fn a_series_is_what_the_rule_makes_of_its_slices_in_their_order() {
        let run = |_: Label, parts: &mut [f64]| Aggregation::RunMean(2).apply(parts);
        let probabilities = score(&[0.1, 0.9, 0.1, 0.7, 0.7]).probabilities(run).unwrap();
        assert!((probabilities.any - 0.7).abs() < 1e-6, "{probabilities:?}");
        // Of 0.9, 0.1, 0.9, 0.3, 0.3 the third and the fourth: odds of 9 and 3/7.
        let odds = (9.0f32 * 3.0 / 7.0).sqrt();
        assert!((probabilities.epidural - odds / (1.0 + odds)).abs() < 1e-6, "{probabilities:?}");
        assert_eq!(score(&[]).probabilities(run), None);
    }
}
