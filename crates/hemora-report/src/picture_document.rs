//! A drawn slice as a document, so that one program draws it and another puts it into a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hemora_ct::Label;
use hemora_model::MapKind;
use serde::{Deserialize, Serialize};

use crate::SlicePicture;
use crate::picture::{Map, PICTURE_SIZE};

/// First bytes of every PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A [`SlicePicture`] with its PNGs in base 64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PictureDocument {
    patient: Option<String>,
    study: String,
    series: String,
    sop: String,
    canvas: [f64; 2],
    mm_per_unit: Option<f64>,
    edges: Option<[char; 4]>,
    windows: [String; 3],
    maps: Vec<MapDocument>,
}

/// A map of the picture.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MapDocument {
    label: Label,
    /// Whether the values are probabilities.
    probability: bool,
    png: String,
    contour: String,
}

impl From<SlicePicture> for PictureDocument {
    fn from(picture: SlicePicture) -> Self {
        let map = |map: Map| MapDocument {
            label: map.label,
            probability: map.kind == MapKind::Probability,
            png: STANDARD.encode(map.png),
            contour: map.contour,
        };
        Self {
            patient: picture.patient,
            study: picture.study,
            series: picture.series,
            sop: picture.sop,
            canvas: picture.canvas,
            mm_per_unit: picture.mm_per_unit,
            edges: picture.edges,
            windows: picture.windows.map(|png| STANDARD.encode(png)),
            maps: picture.maps.into_iter().map(map).collect(),
        }
    }
}

impl TryFrom<PictureDocument> for SlicePicture {
    type Error = String;

    fn try_from(document: PictureDocument) -> Result<Self, String> {
        let png = |text: String| {
            let bytes = STANDARD.decode(text).map_err(|error| format!("a picture: {error}"))?;
            if bytes.starts_with(PNG) { Ok(bytes) } else { Err("a picture is no PNG".to_owned()) }
        };
        let longest = PICTURE_SIZE as f64;
        if !document.canvas.iter().all(|side| (1.0..=longest).contains(side)) {
            return Err(format!("a picture has a canvas of {:?}", document.canvas));
        }
        if document.mm_per_unit.is_some_and(|unit| !(unit.is_finite() && unit > 0.0)) {
            return Err(format!("a picture has {:?} mm a unit", document.mm_per_unit));
        }
        let map = |map: MapDocument| {
            let kind = match map.probability {
                true => MapKind::Probability,
                false => MapKind::Activation,
            };
            let path = |letter: char| letter.is_ascii_digit() || "MLHVZ .-".contains(letter);
            if !map.contour.chars().all(path) {
                return Err("the line of a map is no path".to_owned());
            }
            Ok(Map { label: map.label, kind, png: png(map.png)?, contour: map.contour })
        };
        let [brain, subdural, bone] = document.windows;
        Ok(Self {
            patient: document.patient,
            study: document.study,
            series: document.series,
            sop: document.sop,
            canvas: document.canvas,
            mm_per_unit: document.mm_per_unit,
            edges: document.edges,
            windows: [png(brain)?, png(subdural)?, png(bone)?],
            maps: document.maps.into_iter().map(map).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use hemora_ct::{ImagePlane, Plane, Slice};
    use hemora_model::LabelMap;
    use serde_json::Value;

    use super::*;

    fn picture() -> SlicePicture {
        let axial = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let plane = ImagePlane::new([0.0; 3], axial, Some([0.5, 0.5])).unwrap();
        let hu = (0..40 * 30).map(|index| (index % 90) as f32).collect();
        let slice = Slice::new(40, 30, hu, Some(plane)).unwrap();
        let values = (0..16).map(|index| index as f32 / 15.0).collect();
        let plane = Plane { rows: 4, columns: 4, values };
        let map = LabelMap { label: Label::Subdural, kind: MapKind::Probability, plane };
        let picture = SlicePicture::draw("1.2", "1.2.3", "1.2.3.4", &slice, &[map]).unwrap();
        SlicePicture { patient: Some("A <b>".to_owned()), ..picture }
    }

    #[test]
    fn a_picture_is_read_as_it_was_drawn() {
        let drawn = picture();
        let text = serde_json::to_string(&drawn).unwrap();
        let read: SlicePicture = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{read:?}"), format!("{drawn:?}"));
        assert!(!drawn.maps[0].contour.is_empty());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let good = serde_json::to_value(picture()).unwrap();
        let refused = |place: &str, value: Value| {
            let mut bad = good.clone();
            *bad.pointer_mut(place).unwrap() = value;
            serde_json::from_value::<SlicePicture>(bad).unwrap_err().to_string()
        };
        assert!(refused("/windows/1", "?".into()).contains("a picture"));
        assert!(refused("/windows/1", STANDARD.encode("GIF89a").into()).contains("no PNG"));
        assert!(refused("/maps/0/contour", "M0 0\"><script".into()).contains("no path"));
        assert!(refused("/canvas/0", 1e9.into()).contains("canvas"));
        assert!(refused("/mm_per_unit", (-1.0).into()).contains("mm a unit"));
    }
}
