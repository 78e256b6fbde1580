//! From a result and the headers that it was made of to the series that a reader sees.

use std::collections::HashMap;
use std::path::Path;

use hemora_ct::{ImagePlane, Turn};
use hemora_io::{Collection, SliceHeader};
use hemora_model::{KeySlice, Region, SeriesResult, SliceResult, StudyResult, TriageResult};

use super::kept::{KeptImage, KeptSeries, KeptView};
use super::volume::no_volume;
use crate::http::types::{LeftOut, SliceRef, ViewSeries, ViewSlice};

/// Pixel spacings of scanners, mm; what lies outside is no length that can be measured.
const SPACINGS_MM: std::ops::RangeInclusive<f64> = 0.01..=100.0;

/// A smaller shift, mm for each mm, is not seen over the height of a head.
const LEAST_SHIFT: f64 = 0.002;

/// Most reasons that are named for what was left out.
const MOST_REASONS: usize = 50;

/// Headers by the name of the source and the identifier under which a result has them.
type Headers<'a> = HashMap<(String, String), &'a SliceHeader>;

/// What a reader sees of the series of a study. `collection` are the headers that triage was made of, their
/// files below `folder`; `keys` are slices of the study's first series.
pub(crate) fn kept_view(
    study: &StudyResult,
    keys: &[KeySlice],
    collection: &Collection,
    folder: &Path,
) -> KeptView {
    let all = collection.studies.iter().flat_map(|study| &study.series);
    let named = |header: &SliceHeader| (header.source.to_string(), header.image_id().into_owned());
    let headers: Headers<'_> =
        all.flat_map(|series| &series.slices).map(|header| (named(header), header)).collect();
    // Every scored slice has the header that it was read by; were one missing, the others would stand under
    // wrong numbers.
    let series = study.series.iter().map(|series| kept_series(series, &headers, folder));
    let series: Option<Vec<KeptSeries>> = series.collect();
    let Some(series) = series else { return KeptView::default() };
    // Key slices are of the most suspicious series, which is the first.
    let key_slices = keys.iter().map(|key| SliceRef { series: 0, slice: key.index });
    KeptView { series, key_slices: key_slices.collect(), left_out: Vec::new() }
}

fn kept_series(result: &SeriesResult, headers: &Headers<'_>, folder: &Path) -> Option<KeptSeries> {
    let mut slices = Vec::with_capacity(result.slices.len());
    let mut images = Vec::with_capacity(result.slices.len());
    let mut planes = Vec::with_capacity(result.slices.len());
    for slice in &result.slices {
        let name = (slice.source.clone(), slice.sop_instance_uid.clone());
        let header = headers.get(&name)?;
        slices.push(view_slice(slice, header));
        planes.push((slice.z_mm, upright(header)));
        images.push(KeptImage::new(header, folder)?);
    }
    let shown = ViewSeries {
        series_instance_uid: result.series_instance_uid.clone(),
        description: result.description.clone().unwrap_or_default(),
        slice_spacing_mm: result.acquisition.slice_spacing_mm,
        tilt_degrees: result.acquisition.tilt_degrees,
        shift: shift(&planes),
        probabilities: result.probabilities,
        warnings: result.warnings.clone(),
        no_volume: None,
        slices,
    };
    let mut series = KeptSeries { shown, images };
    series.shown.no_volume = no_volume(&series);
    Some(series)
}

/// Where the upright image of a slice lies.
fn upright(header: &SliceHeader) -> Option<ImagePlane> {
    let turn = Turn::upright(header.plane);
    let size = turn.size([header.rows, header.columns]);
    header.plane.map(|plane| turn.plane(plane, size))
}

/// How far slices move within their planes for each mm along the normal: downwards and to the right. By the
/// first and the last one; `None` where they lie straight over each other, or where is unknown. `planes` are
/// positions along the normal, mm, and upright planes.
fn shift(planes: &[(Option<f64>, Option<ImagePlane>)]) -> Option<[f64; 2]> {
    let (Some(low), Some(first)) = planes.first()? else { return None };
    let (Some(high), Some(last)) = planes.last()? else { return None };
    let along = |direction: [f64; 3]| -> f64 {
        (0..3).map(|axis| (last.position[axis] - first.position[axis]) * direction[axis]).sum()
    };
    let shift = [first.column_direction, first.row_direction].map(|it| along(it) / (high - low));
    let is_seen = shift.iter().any(|it| it.abs() >= LEAST_SHIFT);
    (is_seen && shift.iter().all(|it| it.is_finite())).then_some(shift)
}

/// A slice as it is shown, upright.
fn view_slice(result: &SliceResult, header: &SliceHeader) -> ViewSlice {
    let turn = Turn::upright(header.plane);
    let size = turn.size([header.rows, header.columns]);
    let upright = upright(header);
    let is_usable = |spacing: &[f64; 2]| spacing.iter().all(|it| SPACINGS_MM.contains(it));
    ViewSlice {
        sop_instance_uid: result.sop_instance_uid.clone(),
        z_mm: result.z_mm,
        rows: size[0],
        columns: size[1],
        spacing_mm: upright.and_then(|plane| plane.spacing).filter(is_usable),
        edges: upright.and_then(|plane| plane.edges()),
        probabilities: result.probabilities,
        regions: result.regions.iter().map(|region| turned(region, turn, size)).collect(),
    }
}

/// A region of the stored image in the pixels of the upright one, which has `size`.
fn turned(region: &Region, turn: Turn, size: [usize; 2]) -> Region {
    let last = size.map(|side| side - 1);
    let peak = turn.turned(last.map(|it| it as f64), [region.peak_row, region.peak_column]);
    let [top, left, bottom, right] = region.bounds;
    let [a, b] = [[top, left], [bottom, right]].map(|corner| turn.turned(last, corner));
    Region {
        peak_row: peak[0],
        peak_column: peak[1],
        bounds: [a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])],
        ..region.clone()
    }
}

/// Why images were left out, the commonest reason first.
pub(crate) fn left_out(result: &TriageResult) -> Vec<LeftOut> {
    let mut reasons: Vec<LeftOut> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    let named = result.skipped.iter().map(|file| (file.reason.as_str(), 1, file.failed));
    let more = result.skipped_more.iter().map(|more| (more.reason.as_str(), more.files, false));
    for (reason, images, failed) in named.chain(more) {
        let at = *index.entry(reason).or_insert_with(|| {
            reasons.push(LeftOut { reason: reason.to_owned(), images: 0, failed });
            reasons.len() - 1
        });
        reasons[at].images += images;
        reasons[at].failed |= failed;
    }
    reasons.sort_by_key(|it| std::cmp::Reverse(it.images));
    if reasons.len() > MOST_REASONS {
        let rest = reasons.split_off(MOST_REASONS - 1);
        reasons.push(LeftOut {
            reason: format!("{} other reasons; the result names them", rest.len()),
            images: rest.iter().map(|it| it.images).sum(),
            failed: rest.iter().any(|it| it.failed),
        });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::{ImagePlane, Label};
    use hemora_model::{ModelRef, SkippedCount, SkippedFile, ToolRef};

    fn result(skipped: Vec<SkippedFile>) -> TriageResult {
        let text = String::new();
        TriageResult {
            schema_version: 1,
            notice: text.clone(),
            tool: ToolRef { name: text.clone(), version: text.clone() },
            model: ModelRef {
                name: text.clone(),
                version: text.clone(),
                sha256: text.clone(),
                series_sha256: Vec::new(),
                member_sha256: Vec::new(),
            },
            engine: text,
            studies: Vec::new(),
            skipped,
            skipped_more: vec![SkippedCount { reason: "an abdomen".to_owned(), files: 7 }],
        }
    }

    #[test]
    fn reasons_are_counted_the_commonest_first() {
        let skipped = |reason: &str, failed| SkippedFile {
            source: "studies/a".to_owned(),
            reason: reason.to_owned(),
            failed,
        };
        let files =
            vec![skipped("broken", true), skipped("an abdomen", false), skipped("broken", true)];
        let found = left_out(&result(files));
        let left =
            |reason: &str, images, failed| LeftOut { reason: reason.to_owned(), images, failed };
        assert_eq!(found, [left("an abdomen", 8, false), left("broken", 2, true)]);
        let many = (0..200).map(|at| skipped(&format!("reason {at}"), false)).collect();
        let found = left_out(&result(many));
        assert_eq!(found.len(), MOST_REASONS);
        assert_eq!(found.iter().map(|it| it.images).sum::<usize>(), 207);
        assert!(found[MOST_REASONS - 1].reason.starts_with("152 other"), "{found:?}");
    }

    #[test]
    fn regions_are_turned_with_their_image() {
        let region = Region {
            label: Label::Any,
            peak: 0.9,
            peak_row: 3.5,
            peak_column: 10.0,
            peak_mm: None,
            area_mm2: None,
            bounds: [2, 9, 5, 12],
        };
        // 20 rows of 30 columns; left and right change places, then rows and columns.
        let plane = |orientation| ImagePlane::new([0.0; 3], orientation, None).unwrap();
        let mirrored = Turn::upright(Some(plane([-1.0, 0.0, 0.0, 0.0, 1.0, 0.0])));
        let shown = turned(&region, mirrored, [20, 30]);
        assert_eq!((shown.peak_row, shown.peak_column), (3.5, 19.0));
        assert_eq!(shown.bounds, [2, 17, 5, 20]);
        let transposed = Turn::upright(Some(plane([0.0, 1.0, 0.0, 1.0, 0.0, 0.0])));
        let shown = turned(&region, transposed, [30, 20]);
        assert_eq!((shown.peak_row, shown.peak_column), (10.0, 3.5));
        assert_eq!(shown.bounds, [9, 2, 12, 5]);
    }

    #[test]
    fn slices_of_a_tilted_gantry_move_within_their_planes() {
        let (sin, cos) = 20_f64.to_radians().sin_cos();
        // The table moves along the patient; the planes lean, with the front towards the feet.
        let plane = |table: f64| {
            let plane =
                ImagePlane::new([-120.0, -100.0, table], [1.0, 0.0, 0.0, 0.0, cos, sin], None);
            (Some(table * cos), Some(plane.unwrap()))
        };
        let [down, right] = shift(&[plane(0.0), plane(5.0), plane(10.0)]).unwrap();
        assert!((down - sin / cos).abs() < 1e-12 && right == 0.0, "{down} {right}");
        let straight = |z| {
            let plane = ImagePlane::new([0.0, 0.0, z], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], None);
            (Some(z), Some(plane.unwrap()))
        };
        assert_eq!(shift(&[straight(0.0), straight(5.0)]), None);
        assert_eq!(shift(&[straight(0.0), (None, None)]), None);
        assert_eq!(shift(&[straight(0.0), straight(0.0)]), None);
        assert_eq!(shift(&[]), None);
    }
}
