//! A collection of studies to the triage result.

use std::cmp::Ordering as Order;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_ct::{HuProblem, NOTICE, stack};
use hemora_io::{Collection, Series, SliceHeader, Study};
use hemora_metrics::{Level, OperatingPoint};
use rayon::prelude::*;

use crate::certainty::certainty;
use crate::key_maps::{self, KeyMaps, SeriesKeyMaps};
use crate::map_volumes::{MapSink, series_maps, slice_maps};
use crate::maps::SliceMaps;
use crate::pipeline::Pictures;
use crate::policy::{Fate, SeriesPolicy};
use crate::regions::{regions, thresholds};
use crate::score::{SeriesScore, SliceScore, score};
use crate::spent::Spent;
use crate::{LoadedModel, skipped};
use hemora_model::{
    Acquisition, Flag, ModelInfo, SCHEMA_VERSION, SeriesResult, SkippedFile, SliceResult,
    StudyResult, ToolRef, TriageResult,
};

/// Scores the series of every study that `policy` names. `progress(done, total)` counts slices and is called
/// from any thread.
///
/// Where the model has networks of series, their probabilities stand for those of single slices. A
/// series that they cannot read (too short, too long, without positions) keeps those, with a warning in
/// [`SeriesResult::warnings`]. Every member of an ensemble scores every slice as it would alone; their
/// weighted mean, or what the ensemble's trees make of them, is the probability.
///
/// Where the model names the thickness of the slices that it was trained on, a series of much thinner
/// ones is averaged to slabs of it first; every slice has the probabilities of its slab, and the study
/// counts slabs.
///
/// Never fails as a whole: a file without a result is in [`TriageResult::skipped`] with its
/// reason. A study of which no slice has a result is only there.
pub fn triage(
    model: &LoadedModel,
    collection: &Collection,
    policy: SeriesPolicy,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> TriageResult {
    let go_on = |done, total| {
        progress(done, total);
        ControlFlow::Continue(())
    };
    let keys = Pictures { studies: 0, slices: 0 };
    let options = Scoring { policy, maps: None, keys };
    let scored = score_collection(model, collection, options, &Spent::default(), &go_on);
    scored.continue_value().expect("this progress never breaks").0
}

/// What is scored, and what is kept beside the result.
#[derive(Clone, Copy)]
pub(crate) struct Scoring<'a> {
    /// Which series of a study are scored.
    pub policy: SeriesPolicy,
    /// Gets the maps of each series that was scored.
    pub maps: Option<MapSink<'a>>,
    /// The key slices whose maps are kept.
    pub keys: Pictures,
}

/// A study's result, and the maps of its most suspicious slices.
type ScoredStudy = (StudyResult, SeriesKeyMaps);

/// As [`triage`]; breaks soon after `progress` does. `spent` gets the time.
pub(crate) fn score_collection(
    model: &LoadedModel,
    collection: &Collection,
    options: Scoring<'_>,
    spent: &Spent,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> ControlFlow<(), (TriageResult, KeyMaps)> {
    let policy = options.policy;
    let mut skipped = skipped::from_collection(collection);
    let fates: Vec<_> = collection.studies.iter().map(|it| policy.fates(it)).collect();
    let total = collection.studies.iter().zip(&fates).map(|(study, fates)| {
        let series = study.series.iter().zip(fates);
        series.filter(|(_, fate)| fate.is_scored()).map(|(it, _)| it.slices.len()).sum::<usize>()
    });
    let total = total.sum();
    let done = AtomicUsize::new(0);
    let advance = |_: usize, _: usize| {
        let now = done.fetch_add(1, Ordering::Relaxed) + 1;
        // After the last slice nothing is left to stop.
        match progress(now, total) {
            ControlFlow::Break(()) if now < total => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let mut studies: Vec<ScoredStudy> = Vec::new();
    for group in groups(collection.studies.iter().zip(&fates).collect()) {
        let scored = group.into_par_iter().map(|(study, fates)| {
            let mut skipped = Vec::new();
            let result = study_result(model, study, fates, options, spent, &advance, &mut skipped)?;
            ControlFlow::Continue((result, skipped))
        });
        let scored: Vec<ControlFlow<(), _>> = scored.collect();
        for scored in scored {
            let (result, more) = scored?;
            studies.extend(result);
            skipped.extend(more);
        }
        studies.sort_by(|(a, _), (b, _)| {
            let by_any = b.probabilities.any.total_cmp(&a.probabilities.any);
            by_any
                .then_with(|| a.study_instance_uid.cmp(&b.study_instance_uid))
                .then_with(|| a.patient_id.cmp(&b.patient_id))
        });
        // Studies further down have no key slices.
        studies.iter_mut().skip(options.keys.studies).for_each(|(_, maps)| maps.clear());
    }
    let mut kept = KeyMaps::default();
    let keep = |(study, maps): ScoredStudy| {
        kept.add(maps);
        study
    };
    let studies = studies.into_iter().map(keep).collect();
    skipped.sort_by(|a, b| a.source.cmp(&b.source));
    let skipped_more = skipped::count_the_rest(&mut skipped);
    let result = TriageResult {
        schema_version: SCHEMA_VERSION,
        notice: NOTICE.to_owned(),
        tool: ToolRef { name: "hemora".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        model: model.model().model_ref(),
        engine: model.engine().to_owned(),
        studies,
        skipped,
        skipped_more,
    };
    ControlFlow::Continue((result, kept))
}

/// Slices for each core of the studies that are scored side by side. Cores wait for one another at the end of
/// such a group only: studies one by one would leave them idle at the end of each. More would cost memory,
/// since the maps of a study are held until all of its slices are scored.
const SLICES_A_CORE: usize = 64;

/// Studies that are scored side by side, in their order.
fn groups<'a>(studies: Vec<(&'a Study, &'a Vec<Fate>)>) -> Vec<Vec<(&'a Study, &'a Vec<Fate>)>> {
    let enough = SLICES_A_CORE * rayon::current_num_threads();
    let mut groups = Vec::new();
    let (mut group, mut slices) = (Vec::new(), 0);
    for study in studies {
        slices += study.0.series.iter().map(|series| series.slices.len()).sum::<usize>();
        group.push(study);
        if slices >= enough {
            groups.push(std::mem::take(&mut group));
            slices = 0;
        }
    }
    groups.push(group);
    groups
}

/// `None` if no slice of the study has a result.
fn study_result(
    model: &LoadedModel,
    study: &Study,
    fates: &[Fate],
    options: Scoring<'_>,
    spent: &Spent,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
    skipped: &mut Vec<SkippedFile>,
) -> ControlFlow<(), Option<ScoredStudy>> {
    let claims = model.model().info();
    let mut results: Vec<(SeriesResult, SeriesKeyMaps)> = Vec::new();
    let mut warnings = Vec::new();
    let mut is_doubtful = false;
    // The series that show one head at different levels, with their lowest positions.
    let mut head: Vec<(f64, Vec<SliceScore>)> = Vec::new();
    let (mut parts, mut beside) = (0, 0);
    for (series, fate) in study.series.iter().zip(fates) {
        let count = series.slices.len();
        if let Fate::Head(Some(why)) = fate {
            warnings.push(format!("series {}, {count} slices, {why}", series.id()));
        }
        if let Fate::LeftOut { reason, levels } = fate {
            let lies = levels.map_or_else(String::new, |[low, high]| {
                format!("; it lies from {low:.1} to {high:.1} mm")
            });
            warnings.push(format!("series {}, {count} slices, {reason}{lies}", series.id()));
            skipped.extend(series.slices.iter().map(|header| SkippedFile {
                source: header.source.to_string(),
                reason: format!("its series was {reason}"),
                failed: false,
            }));
            continue;
        }
        let slabs = model.slabs(series);
        let mut scored = score(&model.scorers(slabs.len()), series, &slabs, spent, progress)?;
        let of_slabs = std::mem::take(&mut scored.maps);
        let unscored = std::mem::take(&mut scored.unread);
        let z = stack::positions(series.slices.iter().map(|header| header.plane));
        let (score, unread) = model.judge(scored, &slabs.positions(&z));
        is_doubtful |= !score.implausible.is_empty() || !score.skipped.is_empty();
        // Each slice has what was found of its slab; the study counts slabs, so that a series of thin
        // slices weighs no more than one of thick ones.
        let slices = slabs.by_slice(&score.slices, &unscored);
        let maps: BTreeMap<usize, &SliceMaps> = of_slabs
            .iter()
            .flat_map(|(&slab, maps)| slabs.slices(slab).map(move |slice| (slice, maps)))
            .collect();
        let mut result = series_result(series, &score, &slices, &z, &maps, claims);
        if let Some(result) = &mut result {
            result.warnings.extend(slabs.note.clone());
            result.warnings.extend(unread);
            match options.maps {
                Some(MapSink::Volumes(sink)) => sink(series_maps(study, series, result, &maps)),
                Some(MapSink::Slices(sink)) => sink(slice_maps(&slices, result, &maps)),
                None => {}
            }
        }
        match (&result, fate) {
            (None, _) if series.slices.is_empty() => {}
            (None, _) => {
                warnings.push(format!("series {} has no slice with a result", series.id()));
            }
            (Some(_), Fate::Head(_)) => {
                parts += 1;
                let lowest = z.iter().copied().flatten().fold(f64::INFINITY, f64::min);
                head.push((lowest, score.slices.clone()));
            }
            (Some(_), _) => beside += 1,
        }
        let keys = key_maps::of_series(series, &slabs, &score, of_slabs, options.keys);
        results.extend(result.map(|result| (result, keys)));
        skipped.extend(score.skipped);
    }
    results.sort_by(|(a, _), (b, _)| more_suspicious(a, b));
    let (results, maps): (Vec<SeriesResult>, Vec<SeriesKeyMaps>) = results.into_iter().unzip();
    let Some(mut probabilities) = results.first().map(|series| series.probabilities) else {
        return ControlFlow::Continue(None);
    };
    // The most suspicious series has the key slices.
    let maps = maps.into_iter().next().unwrap_or_default();
    if parts > 1 {
        // From one end of the head to the other, as a single series would have them.
        head.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let slices = head.into_iter().flat_map(|(_, slices)| slices).collect();
        let head = SeriesScore { slices, ..SeriesScore::default() };
        let whole = head.probabilities(|label, parts| claims.whole(label, parts));
        // The most suspicious series is a part of the head, or another that is more suspicious.
        probabilities = match whole {
            Some(whole) if beside == 0 || whole.any >= probabilities.any => whole,
            _ => probabilities,
        };
        warnings.push(format!(
            "{parts} series show one head at different levels; the probabilities of the head are \
             those of all their slices"
        ));
    }
    if beside > 0 && results.len() > 1 {
        warnings.push(format!(
            "{} series were scored; the study has the probabilities of the most suspicious one",
            results.len()
        ));
    }
    let study = StudyResult {
        study_instance_uid: study.id().into_owned(),
        patient_id: study.patient_id.clone(),
        probabilities,
        flags: flags(&claims.operating_points, &results),
        certainty: certainty(&claims.operating_points, &probabilities, &results, is_doubtful),
        series: results,
        warnings,
    };
    ControlFlow::Continue(Some((study, maps)))
}

/// What the slices are at each threshold that was chosen for slices.
fn flags(points: &[OperatingPoint], series: &[SeriesResult]) -> Vec<Flag> {
    // Of what is promised for patients, a count of slices says nothing.
    let flags = |point: &&OperatingPoint| point.level == Level::Slice && !point.rule.is_by_group();
    let of_slices = points.iter().filter(flags);
    let flag = |point: &OperatingPoint| {
        let slices = series.iter().flat_map(|series| &series.slices);
        let reaches = |slice: &&SliceResult| {
            f64::from(slice.probabilities.get(point.label)) >= point.threshold
        };
        Flag {
            operating_point: point.name.clone(),
            label: point.label,
            threshold: point.threshold,
            flagged_slices: slices.filter(reaches).count(),
        }
    };
    of_slices.map(flag).collect()
}

/// Most suspicious first; then the longest, then by UID.
fn more_suspicious(a: &SeriesResult, b: &SeriesResult) -> Order {
    let by_any = b.probabilities.any.total_cmp(&a.probabilities.any);
    by_any
        .then_with(|| b.slices.len().cmp(&a.slices.len()))
        .then_with(|| a.series_instance_uid.cmp(&b.series_instance_uid))
}

fn series_result(
    series: &Series,
    score: &SeriesScore,
    slices: &[SliceScore],
    z: &[Option<f64>],
    maps: &BTreeMap<usize, &SliceMaps>,
    claims: &ModelInfo,
) -> Option<SeriesResult> {
    let probabilities = score.probabilities(|label, parts| claims.whole(label, parts))?;
    let thresholds = thresholds(&claims.operating_points);
    let slices = slices
        .iter()
        .map(|slice| {
            let header = &series.slices[slice.index];
            SliceResult {
                sop_instance_uid: header.image_id().into_owned(),
                source: header.source.to_string(),
                z_mm: z[slice.index],
                probabilities: slice.probabilities,
                regions: maps.get(&slice.index).map_or(Vec::new(), |maps| {
                    regions(maps, header, slice.probabilities, &thresholds)
                }),
            }
        })
        .collect();
    let mut warnings: Vec<String> = series.warnings.iter().map(ToString::to_string).collect();
    let repaired = series.slices.iter().filter(|slice| slice.intercept_repaired).count();
    if repaired > 0 {
        warnings.push(format!(
            "{repaired} of {} slices had a wrong rescale intercept, which was repaired",
            series.slices.len()
        ));
    }
    warnings.extend(doubts(series, score));
    if !score.skipped.is_empty() {
        warnings.push(format!("{} slices have no result; see `skipped`", score.skipped.len()));
    }
    Some(SeriesResult {
        series_instance_uid: series.id().into_owned(),
        description: series.description.clone(),
        probabilities,
        acquisition: acquisition(&series.slices, z),
        slices,
        warnings,
    })
}

/// What speaks against the HU of the slices, a line for each kind of doubt.
fn doubts(series: &Series, score: &SeriesScore) -> Vec<String> {
    let kinds: [fn(&HuProblem) -> bool; 4] = [
        |problem| matches!(problem, HuProblem::TooBright(_)),
        |problem| matches!(problem, HuProblem::NoAir(_)),
        |problem| matches!(problem, HuProblem::NoBone(_)),
        |problem| matches!(problem, HuProblem::Median(_)),
    ];
    let line = |is_kind: fn(&HuProblem) -> bool| {
        let doubted = score.implausible.iter().filter_map(|(index, problems)| {
            Some((&series.slices[*index].source, problems.iter().find(|it| is_kind(it))?))
        });
        let all: Vec<_> = doubted.collect();
        let (source, problem) = all.first()?;
        Some(format!(
            "the values of {} of {} slices can hardly be a head's HU, so their probabilities mean \
             little: {problem} ({source})",
            all.len(),
            series.slices.len()
        ))
    };
    let headless = score.headless.then(|| {
        "no slice shows a head: PixelData hold nowhere both soft tissue (0 to 120 HU) and bone, so \
         the probabilities mean nothing; look at the images"
            .to_owned()
    });
    headless.into_iter().chain(kinds.into_iter().filter_map(line)).collect()
}

fn acquisition(slices: &[SliceHeader], z: &[Option<f64>]) -> Acquisition {
    let Some(first) = slices.first() else {
        return Acquisition::default();
    };
    let plane = slices.iter().find_map(|header| header.plane);
    let known_z: Vec<f64> = z.iter().copied().flatten().collect();
    Acquisition {
        rows: first.rows,
        columns: first.columns,
        pixel_spacing_mm: plane.and_then(|plane| plane.spacing),
        slice_spacing_mm: stack::median_spacing(&known_z),
        tilt_degrees: plane.map(|plane| plane.tilt_degrees()),
        window: first.window,
        bits_stored: first.stored.bits_stored,
        signed: first.stored.signed,
        rescale_intercept: first.rescale_intercept,
    }
}
