//! The maps of slices that may be key slices, kept from their scoring: networks need not look at them again.

use std::collections::{BTreeMap, HashMap};

use hemora_ct::Label;
use hemora_io::Series;
use hemora_model::{LabelMap, MapKind};

use crate::maps::SliceMaps;
use crate::pipeline::Pictures;
use crate::score::{SeriesScore, SliceScore};
use crate::slabs::Slabs;

/// Maps of slices or slabs, by the source of the first slice of each.
#[derive(Debug, Default)]
pub(crate) struct KeyMaps(HashMap<String, SliceMaps>);

/// The maps of the slices or slabs of one series that are its most suspicious ones.
pub(crate) type SeriesKeyMaps = Vec<(String, SliceMaps)>;

impl KeyMaps {
    pub(crate) fn add(&mut self, of_series: SeriesKeyMaps) {
        self.0.extend(of_series);
    }

    /// The maps of `labels` of a slab, if all were kept.
    pub(crate) fn of(
        &self,
        series: &Series,
        slabs: &Slabs,
        slab: usize,
        labels: [Label; 2],
    ) -> Option<[LabelMap; 2]> {
        let SliceMaps { planes, .. } = self.0.get(&name(series, slabs, slab))?;
        let map = |label: Label| {
            let plane = planes[label.index()].clone()?;
            Some(LabelMap { label, kind: MapKind::Probability, plane })
        };
        Some([map(labels[0])?, map(labels[1])?])
    }
}

/// The maps of the slabs of a series that may be its key slices: as many as a study has, where any study has some.
pub(crate) fn of_series(
    series: &Series,
    slabs: &Slabs,
    score: &SeriesScore,
    mut maps: BTreeMap<usize, SliceMaps>,
    keys: Pictures,
) -> SeriesKeyMaps {
    let count = if keys.studies == 0 { 0 } else { keys.slices.max(1) };
    let mut order: Vec<&SliceScore> = score.slices.iter().collect();
    let any = |slab: &SliceScore| slab.probabilities.any;
    order.sort_by(|a, b| any(b).total_cmp(&any(a)).then(a.index.cmp(&b.index)));
    let map =
        |slab: &SliceScore| Some((name(series, slabs, slab.index), maps.remove(&slab.index)?));
    order.into_iter().take(count).filter_map(map).collect()
}

/// What a slab of a series is kept by.
fn name(series: &Series, slabs: &Slabs, slab: usize) -> String {
    series.slices[slabs.slices(slab).start].source.to_string()
}
