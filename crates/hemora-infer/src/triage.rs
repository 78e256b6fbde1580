//! A collection of studies to the triage result.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_dicom::{Collection, Series, SeriesWarning, SliceHeader, Study};

use crate::score::{SeriesScore, score_series};
use crate::{
    Acquisition, Bundle, Engine, SCHEMA_VERSION, SeriesResult, SkippedFile, SliceResult,
    StudyResult, ToolRef, TriageResult,
};

/// Stands in every result.
pub const NOTICE: &str = "For research use only. Not a medical device, not for diagnosis.";

/// Scores every axial series of every study. `progress(done, total)` counts slices and is called
/// from any thread.
///
/// Never fails as a whole: a file without a result is in [`TriageResult::skipped`] with its
/// reason. A study of which no slice has a result is only there.
pub fn triage(
    engine: &dyn Engine,
    bundle: &Bundle,
    collection: &Collection,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> TriageResult {
    let mut skipped: Vec<SkippedFile> = collection
        .skipped
        .iter()
        .map(|file| SkippedFile {
            source: file.source.to_string(),
            reason: file.reason.to_string(),
            failed: file.reason.is_failure(),
        })
        .collect();
    let axial = collection.studies.iter().flat_map(|study| &study.series).filter(is_axial);
    let total = axial.map(|series| series.slices.len()).sum();
    let done = AtomicUsize::new(0);
    let advance = |_: usize, _: usize| progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    let mut studies: Vec<StudyResult> = collection
        .studies
        .iter()
        .filter_map(|study| study_result(engine, bundle, study, &advance, &mut skipped))
        .collect();
    studies.sort_by(|a, b| {
        let by_any = b.probabilities.any.total_cmp(&a.probabilities.any);
        by_any.then_with(|| a.study_instance_uid.cmp(&b.study_instance_uid))
    });
    skipped.sort_by(|a, b| a.source.cmp(&b.source));
    TriageResult {
        schema_version: SCHEMA_VERSION,
        notice: NOTICE.to_owned(),
        tool: ToolRef { name: "hemora".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        model: bundle.model_ref(),
        engine: engine.name().to_owned(),
        studies,
        skipped,
    }
}

fn study_result(
    engine: &dyn Engine,
    bundle: &Bundle,
    study: &Study,
    progress: &(dyn Fn(usize, usize) + Sync),
    skipped: &mut Vec<SkippedFile>,
) -> Option<StudyResult> {
    let mut results = Vec::new();
    let mut warnings = Vec::new();
    for series in &study.series {
        if !is_axial(&series) {
            let reason = "not an axial series; only axial slices are scored";
            warnings.push(format!("series {} was left out: {reason}", series.uid));
            skipped.extend(series.slices.iter().map(|header| SkippedFile {
                source: header.source.to_string(),
                reason: reason.to_owned(),
                failed: false,
            }));
            continue;
        }
        let score = score_series(engine, &bundle.info().input, series, progress);
        let result = series_result(series, &score);
        if result.is_none() && !series.slices.is_empty() {
            warnings.push(format!("series {} has no slice with a result", series.uid));
        }
        results.extend(result);
        skipped.extend(score.skipped);
    }
    results.sort_by(more_suspicious);
    let probabilities = results.first()?.probabilities;
    if results.len() > 1 {
        warnings.push(format!(
            "{} series were scored; the study has the probabilities of the most suspicious one",
            results.len()
        ));
    }
    Some(StudyResult {
        study_instance_uid: study.uid.clone(),
        patient_id: study.patient_id.clone(),
        probabilities,
        series: results,
        warnings,
    })
}

/// Most suspicious first; then the longest, then by UID.
fn more_suspicious(a: &SeriesResult, b: &SeriesResult) -> Order {
    let by_any = b.probabilities.any.total_cmp(&a.probabilities.any);
    by_any
        .then_with(|| b.slices.len().cmp(&a.slices.len()))
        .then_with(|| a.series_instance_uid.cmp(&b.series_instance_uid))
}

fn is_axial(series: &&Series) -> bool {
    !series.warnings.iter().any(|warning| matches!(warning, SeriesWarning::NotAxial(_)))
}

fn series_result(series: &Series, score: &SeriesScore) -> Option<SeriesResult> {
    let probabilities = score.probabilities()?;
    let z = positions(&series.slices);
    let slices = score
        .slices
        .iter()
        .map(|slice| {
            let header = &series.slices[slice.index];
            SliceResult {
                sop_instance_uid: header.sop_instance_uid.clone(),
                source: header.source.to_string(),
                z_mm: z[slice.index],
                probabilities: slice.probabilities,
            }
        })
        .collect();
    let mut warnings: Vec<String> = series.warnings.iter().map(ToString::to_string).collect();
    if !score.skipped.is_empty() {
        warnings.push(format!("{} slices have no result; see `skipped`", score.skipped.len()));
    }
    Some(SeriesResult {
        series_instance_uid: series.uid.clone(),
        description: series.description.clone(),
        probabilities,
        acquisition: acquisition(&series.slices, &z),
        slices,
        warnings,
    })
}

/// Positions of the slices along the normal of the first that has a plane, upwards, mm.
fn positions(slices: &[SliceHeader]) -> Vec<Option<f64>> {
    let Some(normal) = slices.iter().find_map(|header| header.plane).map(|plane| plane.normal())
    else {
        return vec![None; slices.len()];
    };
    let upward = normal.map(|value| value * normal[2].signum());
    slices.iter().map(|header| Some(header.plane?.distance_along(upward))).collect()
}

fn acquisition(slices: &[SliceHeader], z: &[Option<f64>]) -> Acquisition {
    let Some(first) = slices.first() else {
        return Acquisition::default();
    };
    let plane = slices.iter().find_map(|header| header.plane);
    Acquisition {
        rows: first.rows,
        columns: first.columns,
        pixel_spacing_mm: plane.and_then(|plane| plane.spacing),
        slice_spacing_mm: median_distance(z),
        tilt_degrees: plane.map(|plane| plane.tilt_degrees()),
        window: first.window,
        bits_stored: first.stored.bits_stored,
        signed: first.stored.signed,
        rescale_intercept: first.rescale_intercept,
    }
}

/// Median of the distances between neighbours that do not lie at the same place, mm.
fn median_distance(z: &[Option<f64>]) -> Option<f64> {
    let z: Vec<f64> = z.iter().copied().flatten().collect();
    let mut distances: Vec<f64> = z
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .filter(|&distance| distance > 0.01)
        .collect();
    distances.sort_by(f64::total_cmp);
    let upper = *distances.get(distances.len() / 2)?;
    let lower = distances[(distances.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slice_spacing_is_the_median_distance() {
        let z = |values: &[f64]| values.iter().map(|&value| Some(value)).collect::<Vec<_>>();
        assert_eq!(median_distance(&z(&[0.0, 5.0, 10.0, 30.0])), Some(5.0));
        assert_eq!(median_distance(&z(&[0.0, 4.0, 10.0])), Some(5.0));
        assert_eq!(median_distance(&z(&[0.0, 0.0, 5.0])), Some(5.0));
        assert_eq!(median_distance(&z(&[1.0])), None);
        assert_eq!(median_distance(&[None, None, None]), None);
    }
}
