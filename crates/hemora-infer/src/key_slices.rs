//! The slices of a study that a reader should see first, with where the network looked.

use hemora_ct::Label;
use hemora_io::{Collection, Series};
use hemora_model::{KeySlice, SeriesResult, SliceResult, StudyResult};

use crate::LoadedModel;
use crate::score::read_one;
use crate::stack::Window;

/// The up to `top` (at least 1) most suspicious slices of a study's most suspicious series, most
/// suspicious first. `study` is a result of [`triage`](crate::triage) on `collection`. A slice
/// that can no longer be read is left out.
pub fn key_slices(
    model: &LoadedModel,
    collection: &Collection,
    study: &StudyResult,
    top: usize,
) -> Vec<KeySlice> {
    let Some(result) = study.series.first() else {
        return Vec::new();
    };
    let series: Vec<&Series> = collection
        .studies
        .iter()
        .filter(|candidate| candidate.id() == study.study_instance_uid)
        .filter(|candidate| candidate.patient_id == study.patient_id)
        .flat_map(|candidate| &candidate.series)
        .filter(|series| series.id() == result.series_instance_uid)
        .collect();
    highest(result, top)
        .into_iter()
        .filter_map(|index| {
            let scored = &result.slices[index];
            // Parts of a split series share their UID, so the slice decides.
            let (series, position) = series
                .iter()
                .find_map(|series| position_of(series, scored).map(|it| (*series, it)))?;
            key_slice(model, series, position, study, result, index)
        })
        .collect()
}

/// Indices of the slices with the highest probability of any hemorrhage; the lower index first
/// where two are equal.
fn highest(result: &SeriesResult, top: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..result.slices.len()).collect();
    let any = |index: usize| result.slices[index].probabilities.any;
    order.sort_by(|&a, &b| any(b).total_cmp(&any(a)).then(a.cmp(&b)));
    order.truncate(top.max(1));
    order
}

fn position_of(series: &Series, slice: &SliceResult) -> Option<usize> {
    series.slices.iter().position(|header| {
        header.image_id() == slice.sop_instance_uid && header.source.to_string() == slice.source
    })
}

fn key_slice(
    model: &LoadedModel,
    series: &Series,
    position: usize,
    study: &StudyResult,
    result: &SeriesResult,
    index: usize,
) -> Option<KeySlice> {
    let read = |index: usize| read_one(series, index);
    let window = Window::around(model.reach(), series.slices.len(), position, &read);
    let slice = window.slice(position).ok()?.clone();
    let scored = &result.slices[index];
    let leading_subtype = scored.probabilities.leading_subtype();
    let look = model.look(&|_| vec![Label::Any, leading_subtype], &|recipe| {
        window.input(recipe, position).ok()
    });
    let mut maps = look.map_or(Vec::new(), |look| look.maps).into_iter();
    Some(KeySlice {
        study_instance_uid: study.study_instance_uid.clone(),
        patient_id: study.patient_id.clone(),
        series_instance_uid: result.series_instance_uid.clone(),
        sop_instance_uid: scored.sop_instance_uid.clone(),
        index,
        z_mm: scored.z_mm,
        probabilities: scored.probabilities,
        leading_subtype,
        any_map: maps.next().and_then(|(_, map)| map),
        subtype_map: maps.next().and_then(|(_, map)| map),
        slice,
    })
}
