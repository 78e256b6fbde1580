//! The maps of a study, slice by slice, for readers.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hemora_infer::ScoredSliceMaps;
use hemora_model::{KeySlice, LabelMap, MapKind, StudyResult};

use super::kept::KeptView;
use crate::http::types::{SliceMap, StudyMaps};

/// Most values of all maps of a study, so that the document stays short: of 32 × 32 those of 300 slices with
/// three labels. The most suspicious slices go first.
const MOST_VALUES: usize = 900 << 10;

/// The maps of a study: those of the key slices, then of every slice with regions, the most suspicious first.
pub(crate) fn study_maps(
    study: &StudyResult,
    view: &KeptView,
    keys: &[KeySlice],
    scored: Vec<ScoredSliceMaps>,
) -> StudyMaps {
    let mut series: Vec<BTreeMap<usize, Vec<SliceMap>>> = vec![BTreeMap::new(); view.series.len()];
    let mut values = 0;
    let mut add = |place: [usize; 2], maps: &mut dyn Iterator<Item = &LabelMap>| {
        let Some(of_series) = series.get_mut(place[0]) else { return };
        let kept = of_series.entry(place[1]).or_default();
        for map in maps {
            let is_there = kept.iter().any(|it| it.label == map.label);
            let count = map.plane.values.len();
            if !is_there && values + count <= MOST_VALUES {
                values += count;
                kept.push(slice_map(map));
            }
        }
    };
    for (key, place) in keys.iter().zip(&view.key_slices) {
        add([place.series, place.slice], &mut key.maps());
    }
    let places = places(study);
    let mut scored: Vec<([usize; 2], f32, Vec<LabelMap>)> = scored
        .into_iter()
        .filter_map(|slice| {
            let place = *places.get(&(slice.source, slice.sop_instance_uid))?;
            let any = study.series[place[0]].slices[place[1]].probabilities.any;
            Some((place, any, slice.maps))
        })
        .collect();
    scored.sort_by(|a, b| match b.1.total_cmp(&a.1) {
        Ordering::Equal => a.0.cmp(&b.0),
        other => other,
    });
    for (place, _, maps) in &scored {
        add(*place, &mut maps.iter());
    }
    series.iter_mut().for_each(|slices| slices.retain(|_, maps| !maps.is_empty()));
    StudyMaps { series }
}

/// Where each slice of a result stands in it: its series and its place in that.
fn places(study: &StudyResult) -> HashMap<(String, String), [usize; 2]> {
    let series = study.series.iter().enumerate();
    let all = series.flat_map(|(at, series)| {
        series.slices.iter().enumerate().map(move |(index, slice)| {
            ((slice.source.clone(), slice.sop_instance_uid.clone()), [at, index])
        })
    });
    all.collect()
}

fn slice_map(map: &LabelMap) -> SliceMap {
    let kind = match map.kind {
        MapKind::Probability => "probability",
        MapKind::Activation => "activation",
    };
    let values: Vec<u8> =
        map.plane.values.iter().map(|value| (value * 255.0).round() as u8).collect();
    SliceMap {
        label: map.label,
        kind: kind.to_owned(),
        rows: map.plane.rows,
        columns: map.plane.columns,
        values: STANDARD.encode(values),
    }
}
