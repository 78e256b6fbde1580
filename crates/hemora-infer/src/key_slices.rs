//! The slices of a study that a reader should see first, with where the network looked.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;

use hemora_ct::{Label, Slice};
use hemora_io::{Collection, Series};
use hemora_model::{KeySlice, LabelMap, SeriesResult, SliceResult, StudyResult};

use crate::LoadedModel;
use crate::key_maps::KeyMaps;
use crate::score::read_one;
use crate::slabs::Slabs;
use crate::stack::Window;

/// The up to `top` (at least 1) most suspicious slices of a study's most suspicious series, most
/// suspicious first; of slices that are scored as one slab the middle one. `study` is a result of [`triage`](crate::triage) on `collection`. A slice
/// that can no longer be read is left out.
pub fn key_slices(
    model: &LoadedModel,
    collection: &Collection,
    study: &StudyResult,
    top: usize,
) -> Vec<KeySlice> {
    key_slices_with(model, collection, study, top, &KeyMaps::default())
}

/// As [`key_slices`], with the maps that were kept when the study was scored.
pub(crate) fn key_slices_with(
    model: &LoadedModel,
    collection: &Collection,
    study: &StudyResult,
    top: usize,
    kept: &KeyMaps,
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
    let slabs: Vec<Slabs> = series.iter().map(|series| model.slabs(series)).collect();
    // Parts of a split series share their UID, so the slice decides.
    let find = |slice: &SliceResult| {
        let of = |at: usize| position_of(series[at], slice).map(|position| (at, position));
        (0..series.len()).find_map(of)
    };
    let (mut seen, mut keys) = (BTreeSet::new(), Vec::new());
    let (mut chosen, most) = (0, top.max(1));
    for index in by_suspicion(result) {
        if chosen == most {
            break;
        }
        let Some((at, position)) = find(&result.slices[index]) else {
            chosen += 1;
            continue;
        };
        let slab = slabs[at].slab_of(position);
        // All slices of a slab are as suspicious: the one in its middle shows it.
        let range = slabs[at].slices(slab);
        if seen.insert((at, slab)) {
            chosen += 1;
            let middle = (range.len() > 1).then(|| middle_of(result, series[at], range)).flatten();
            let (index, position) = middle.unwrap_or((index, position));
            let place = (series[at], &slabs[at], position);
            keys.extend(key_slice(model, place, study, (result, index), kept));
        }
    }
    keys
}

/// Indices of the slices by their probability of any hemorrhage, the highest first; the lower index first
/// where two are equal.
fn by_suspicion(result: &SeriesResult) -> Vec<usize> {
    let mut order: Vec<usize> = (0..result.slices.len()).collect();
    let any = |index: usize| result.slices[index].probabilities.any;
    order.sort_by(|&a, &b| any(b).total_cmp(&any(a)).then(a.cmp(&b)));
    order
}

/// The slice in the middle of a slab, by its index in the result and in the series, if it has a result.
fn middle_of(result: &SeriesResult, series: &Series, slab: Range<usize>) -> Option<(usize, usize)> {
    let position = slab.start + slab.len() / 2;
    let wanted = &series.slices[position];
    let source = wanted.source.to_string();
    let index = result
        .slices
        .iter()
        .position(|slice| slice.source == source && slice.sop_instance_uid == wanted.image_id())?;
    Some((index, position))
}

fn position_of(series: &Series, slice: &SliceResult) -> Option<usize> {
    series.slices.iter().position(|header| {
        header.image_id() == slice.sop_instance_uid && header.source.to_string() == slice.source
    })
}

fn key_slice(
    model: &LoadedModel,
    place: (&Series, &Slabs, usize),
    study: &StudyResult,
    (result, index): (&SeriesResult, usize),
    kept: &KeyMaps,
) -> Option<KeySlice> {
    let (series, slabs, position) = place;
    let slab = slabs.slab_of(position);
    let scored = &result.slices[index];
    let leading_subtype = scored.probabilities.leading_subtype();
    let labels = [Label::Any, leading_subtype];
    let (slice, [any_map, subtype_map]) = match kept.of(series, slabs, slab, labels) {
        Some(maps) => (read_one(series, position).ok()?, maps.map(Some)),
        None => look(model, place, labels)?,
    };
    Some(KeySlice {
        study_instance_uid: study.study_instance_uid.clone(),
        patient_id: study.patient_id.clone(),
        series_instance_uid: result.series_instance_uid.clone(),
        sop_instance_uid: scored.sop_instance_uid.clone(),
        index,
        z_mm: scored.z_mm,
        probabilities: scored.probabilities,
        leading_subtype,
        any_map,
        subtype_map,
        slice,
    })
}

/// A slice, and where the networks see two labels on it now.
fn look(
    model: &LoadedModel,
    (series, slabs, position): (&Series, &Slabs, usize),
    labels: [Label; 2],
) -> Option<(Slice, [Option<LabelMap>; 2])> {
    let slab = slabs.slab_of(position);
    let unread = Mutex::default();
    let read = |slab: usize| slabs.read(slab, &|index| read_one(series, index), &unread);
    let window = Window::around(model.reach(), slabs.len(), slab, &read);
    let slice = match slabs.slices(slab).len() {
        1 => window.slice(slab).ok()?.clone(),
        _ => read_one(series, position).ok()?,
    };
    let look = model.look(&|_| labels.to_vec(), &|recipe| window.input(recipe, slab).ok());
    let mut maps = look.map_or(Vec::new(), |look| look.maps).into_iter();
    let mut next = || maps.next().and_then(|(_, map)| map);
    Some((slice, [next(), next()]))
}
