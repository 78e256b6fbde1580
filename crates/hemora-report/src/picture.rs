//! The pictures of one slice: its windows as grey PNGs, its maps as clear coloured ones.

use hemora_ct::{ImagePlane, Label, Plane, Slice, Window, resize};
use hemora_model::{LabelMap, MapKind};
use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::colour::{inferno, opacity, unit};
use crate::contour::contour;
use crate::picture_document::PictureDocument;

/// Longest side of a picture in pixels; a larger slice is reduced to it.
pub const PICTURE_SIZE: usize = 384;

/// Longest side of a map in pixels. The maps are smooth, and the browser enlarges them.
const MAP_SIZE: usize = 64;

/// Value of a map at which a line is drawn.
pub(crate) const CONTOUR_LEVEL: f32 = 0.5;

/// The windows in which a slice is shown, with their names.
pub(crate) const WINDOWS: [(&str, Window); 3] =
    [("Brain", Window::BRAIN), ("Subdural", Window::SUBDURAL), ("Bone", Window::BONE)];

/// A slice to be shown, already drawn, so that its HU need not be kept. As a document it has its PNGs in base
/// 64; what is read is checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "PictureDocument", try_from = "PictureDocument")]
pub struct SlicePicture {
    /// PatientID, where it is known: two patients may share all UIDs.
    pub(crate) patient: Option<String>,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) sop: String,
    /// Width and height of the canvas, true to the patient; the longer side is [`PICTURE_SIZE`].
    pub(crate) canvas: [f64; 2],
    /// mm per unit of the canvas, if the spacing is known.
    pub(crate) mm_per_unit: Option<f64>,
    /// Letters at the left, right, top and bottom edge, if the orientation is known.
    pub(crate) edges: Option<[char; 4]>,
    /// One PNG for each of [`WINDOWS`].
    pub(crate) windows: [Vec<u8>; 3],
    pub(crate) maps: Vec<Map>,
}

/// A map, drawn.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub(crate) label: Label,
    pub(crate) kind: MapKind,
    /// PNG whose opacity grows with the value.
    pub(crate) png: Vec<u8>,
    /// SVG path of [`CONTOUR_LEVEL`] on the canvas.
    pub(crate) contour: String,
}

impl SlicePicture {
    /// Draws a key slice with its maps, as [`SlicePicture::draw`].
    ///
    /// # Errors
    /// As there.
    pub fn from_key_slice(key: &hemora_model::KeySlice) -> Result<Self, ReportError> {
        let maps: Vec<_> = key.maps().cloned().collect();
        let (series, sop) = (&key.series_instance_uid, &key.sop_instance_uid);
        let picture = Self::draw(&key.study_instance_uid, series, sop, &key.slice, &maps)?;
        Ok(Self { patient: Some(key.patient_id.clone()), ..picture })
    }

    /// Draws `slice` (HU) in three windows, and over the brain window each of `maps`: values
    /// 0–1 over the whole slice, at any resolution. Values outside are clamped, NaN counts as 0.
    ///
    /// `study`, `series` and `sop` are the UIDs under which the slice stands in the result.
    ///
    /// # Errors
    /// [`ReportError::Map`] if a map does not fill its size, [`ReportError::Picture`] if a PNG
    /// cannot be encoded.
    pub fn draw(
        study: impl Into<String>,
        series: impl Into<String>,
        sop: impl Into<String>,
        slice: &Slice,
        maps: &[LabelMap],
    ) -> Result<Self, ReportError> {
        let pixels = [slice.rows(), slice.columns()];
        let (canvas, mm_per_unit) = canvas(slice, PICTURE_SIZE);
        let drawn = maps.iter().map(|map| draw_map(map, pixels, canvas));
        Ok(Self {
            patient: None,
            study: study.into(),
            series: series.into(),
            sop: sop.into(),
            canvas,
            mm_per_unit,
            edges: slice.plane.and_then(|plane| plane.edges()),
            windows: [
                draw_window(slice, WINDOWS[0].1)?,
                draw_window(slice, WINDOWS[1].1)?,
                draw_window(slice, WINDOWS[2].1)?,
            ],
            maps: drawn.collect::<Result<_, _>>()?,
        })
    }
}

/// Width and height of a canvas on which `slice` is true to the patient, its longer side `longest`, and mm
/// per unit if the spacing is known.
pub(crate) fn canvas(slice: &Slice, longest: usize) -> ([f64; 2], Option<f64>) {
    let pixels = [slice.rows(), slice.columns()];
    let spacing = slice.plane.and_then(usable_spacing);
    let [height, width]: [f64; 2] = std::array::from_fn(|axis| {
        pixels[axis] as f64 * spacing.map_or(1.0, |spacing| spacing[axis])
    });
    let unit = height.max(width) / longest as f64;
    // A strip of a few pixels still gets a visible height.
    ([width, height].map(|side| (side / unit).max(16.0)), spacing.map(|_| unit))
}

/// Spacing between rows and columns in mm, if both lie in what any scanner makes.
fn usable_spacing(plane: ImagePlane) -> Option<[f64; 2]> {
    plane.spacing.filter(|spacing| spacing.iter().all(|value| (0.01..=100.0).contains(value)))
}

/// Size with the longer side at `longest`, never enlarged.
fn reduced([rows, columns]: [usize; 2], longest: usize) -> [usize; 2] {
    let scale = (longest as f64 / rows.max(columns) as f64).min(1.0);
    [rows, columns].map(|side| ((side as f64 * scale).round() as usize).max(1))
}

fn draw_window(slice: &Slice, window: Window) -> Result<Vec<u8>, ReportError> {
    let [rows, columns] = reduced([slice.rows(), slice.columns()], PICTURE_SIZE);
    let grey = if (rows, columns) == (slice.rows(), slice.columns()) {
        slice.grey(window)
    } else {
        let small = slice.windowed_at(window, rows, columns);
        small.values.iter().map(|value| (value * 255.0).round() as u8).collect()
    };
    encode([rows, columns], png::ColorType::Grayscale, &grey)
}

/// The values of a map, each 0–1.
pub(crate) fn map_values(
    LabelMap { label, plane: map, .. }: &LabelMap,
) -> Result<Plane, ReportError> {
    let Plane { rows, columns, .. } = *map;
    if map.values.is_empty() || rows.checked_mul(columns) != Some(map.values.len()) {
        return Err(ReportError::Map { label: *label, rows, columns, values: map.values.len() });
    }
    let values = map.values.iter().map(|&value| unit(value)).collect();
    Ok(Plane { rows, columns, values })
}

fn draw_map(
    map: &LabelMap,
    slice: [usize; 2],
    [width, height]: [f64; 2],
) -> Result<Map, ReportError> {
    let values = map_values(map)?;
    let longest = slice[0].max(slice[1]) as f64;
    let [tall, wide] =
        slice.map(|side| ((side as f64 / longest * MAP_SIZE as f64).round() as usize).max(1));
    let small = resize(&values, tall, wide);
    let levels: Vec<u8> = small.values.iter().map(|value| (value * 255.0).round() as u8).collect();
    Ok(Map {
        label: map.label,
        kind: map.kind,
        png: encode([tall, wide], png::ColorType::Indexed, &levels)?,
        contour: contour(&small, CONTOUR_LEVEL, width, height),
    })
}

/// A PNG of one byte a pixel: grey, or a map's value in 255ths as an index into the colour map.
pub(crate) fn encode(
    [rows, columns]: [usize; 2],
    colour: png::ColorType,
    pixels: &[u8],
) -> Result<Vec<u8>, ReportError> {
    let mut file = Vec::new();
    // No image has sides that do not fit.
    let mut encoder = png::Encoder::new(&mut file, columns as u32, rows as u32);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    // Of slices the best compression is no smaller, and takes 25 times as long.
    encoder.set_compression(png::Compression::Fast);
    if colour == png::ColorType::Indexed {
        let levels = || (0..=255u8).map(|level| f32::from(level) / 255.0);
        encoder.set_palette(levels().flat_map(inferno).collect::<Vec<_>>());
        let opacities = levels().map(|level| (opacity(level) * 255.0).round() as u8);
        encoder.set_trns(opacities.collect::<Vec<_>>());
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (png::OutputInfo, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        pixels.truncate(info.buffer_size());
        (info, pixels)
    }

    fn ramp(rows: usize, columns: usize, plane: Option<ImagePlane>) -> Slice {
        let hu = (0..rows * columns).map(|index| (index % 517) as f32 - 200.0).collect();
        Slice::new(rows, columns, hu, plane).unwrap()
    }

    fn of_any(plane: Plane) -> LabelMap {
        LabelMap { label: Label::Any, kind: MapKind::Probability, plane }
    }

    fn plane(orientation: [f64; 6], spacing: Option<[f64; 2]>) -> ImagePlane {
        ImagePlane::new([0.0; 3], orientation, spacing).unwrap()
    }

    #[test]
    fn pngs_hold_the_windowed_pixels() {
        let slice = ramp(60, 80, None);
        let key = SlicePicture::draw("st", "se", "so", &slice, &[]).unwrap();
        for ((_, window), file) in WINDOWS.iter().zip(&key.windows) {
            let (info, pixels) = decode(file);
            assert_eq!((info.width, info.height), (80, 60));
            assert_eq!(info.color_type, png::ColorType::Grayscale);
            assert_eq!(pixels, slice.grey(*window));
        }
        assert_eq!((key.edges, key.mm_per_unit), (None, None));
    }

    #[test]
    fn large_slices_are_reduced_with_their_shape_kept() {
        let key = SlicePicture::draw("", "", "", &ramp(512, 768, None), &[]).unwrap();
        let (info, pixels) = decode(&key.windows[0]);
        assert_eq!((info.width, info.height), (384, 256));
        assert_eq!(pixels.len(), 384 * 256);
        assert_eq!(key.canvas, [384.0, 256.0]);
    }

    #[test]
    fn pixels_that_are_not_square_are_shown_true_to_the_patient() {
        let plane = plane([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], Some([1.0, 0.5]));
        let key = SlicePicture::draw("", "", "", &ramp(100, 100, Some(plane)), &[]).unwrap();
        assert_eq!(key.canvas, [192.0, 384.0]);
        assert!((key.mm_per_unit.unwrap() - 100.0 / 384.0).abs() < 1e-12);
    }

    #[test]
    fn maps_become_indices_into_the_colour_map() {
        let map = Plane { rows: 1, columns: 2, values: vec![f32::NAN, 3.0] };
        let key = SlicePicture::draw("", "", "", &ramp(32, 32, None), &[of_any(map)]).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&key.maps[0].png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgba).unwrap();
        assert_eq!((info.width, info.height), (64, 64));
        assert_eq!(rgba[..4], [0, 0, 4, 0], "no activation is clear");
        assert_eq!(rgba[63 * 4..64 * 4], [252, 255, 164, 166], "full activation is bright");
        assert!(key.maps[0].contour.starts_with("M192.0 "), "{}", key.maps[0].contour);
    }

    #[test]
    fn maps_that_do_not_fill_their_size_are_refused() {
        for (rows, columns, values) in
            [(2, 2, vec![0.0; 3]), (0, 0, vec![]), (usize::MAX, 2, vec![])]
        {
            let map = Plane { rows, columns, values };
            let drawn = SlicePicture::draw("", "", "", &ramp(4, 4, None), &[of_any(map)]);
            assert!(matches!(drawn, Err(ReportError::Map { .. })));
        }
    }

    #[test]
    fn extreme_shapes_and_spacings_are_drawn() {
        let odd = plane([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], Some([1e-300, 1e300]));
        let map = Plane { rows: 1, columns: 1, values: vec![0.7] };
        for (rows, columns) in [(1, 5000), (5000, 1), (1, 1)] {
            let slice = ramp(rows, columns, Some(odd));
            let key = SlicePicture::draw("", "", "", &slice, &[of_any(map.clone())]).unwrap();
            assert!(key.canvas.iter().all(|side| (16.0..=384.0).contains(side)));
            assert_eq!(key.mm_per_unit, None);
        }
    }
}
