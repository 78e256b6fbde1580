//! Whether a header says that something other than a head was scanned.

use super::words::{is_one, words};
use crate::SliceHeader;

/// The first attribute that names a part of the body other than the head, and its value.
///
/// BodyPartExamined and SeriesDescription speak of the series. StudyDescription speaks of all that
/// was scanned, so it counts only where neither of them names a head.
pub(crate) fn other_body_part<'a>(
    slices: impl Iterator<Item = &'a SliceHeader> + Clone,
) -> Option<(&'static str, String)> {
    let first = |value: fn(&SliceHeader) -> Option<&str>| slices.clone().find_map(value);
    let of_series = [
        ("BodyPartExamined", first(|slice| slice.body_part.as_deref())),
        ("SeriesDescription", first(|slice| slice.series_description.as_deref())),
    ];
    for (attribute, value) in of_series {
        if let Some(value) = value.filter(|value| part(value) == Some(Part::Other)) {
            return Some((attribute, value.to_owned()));
        }
    }
    if of_series.iter().any(|(_, value)| value.and_then(part) == Some(Part::Head)) {
        return None;
    }
    let study = first(|slice| slice.study_description.as_deref());
    let other = study.filter(|value| part(value) == Some(Part::Other))?;
    Some(("StudyDescription", other.to_owned()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Other,
}

/// What part of the body a text names, in several languages and in the terms of BodyPartExamined
/// (PS3.16 Annex L); a head, if it names one among others.
fn part(text: &str) -> Option<Part> {
    const HEAD: &[&str] = &[
        "head",
        "heads",
        "brain",
        "skull",
        "face",
        "facial",
        "orbit",
        "orbits",
        "orbita",
        "sinus",
        "sinuses",
        "ear",
        "ears",
        "iac",
        "iacs",
        "temporal",
        "mastoid",
        "kopf",
        "nnh",
        "cabeza",
        "craneo",
        "cabeca",
        "cranio",
        "tete",
        "crane",
        "testa",
        "capo",
        "hoofd",
        "stroke",
        "cct",
        "sella",
        "headneck",
        "scalp",
        "eye",
        "eyes",
        "jaw",
        "nose",
        "tmj",
        "zygoma",
        "circleofwillis",
    ];
    const HEAD_STEMS: &[&str] = &[
        "schadel", "schaedel", "cerebr", "encef", "enceph", "hirn", "gehirn", "crani", "craneo",
        "cerveau", "cervell", "cerebell", "hersen", "schedel",
    ];
    const OTHER: &[&str] = &[
        "abd",
        "abdo",
        "abdomen",
        "abdomens",
        "abdominal",
        "thorax",
        "torax",
        "lung",
        "lungs",
        "lunge",
        "pelvis",
        "pelvic",
        "becken",
        "bauch",
        "spine",
        "cspine",
        "tspine",
        "lspine",
        "ctspine",
        "tlspine",
        "lsspine",
        "sspine",
        "sacrum",
        "coccyx",
        "neck",
        "hals",
        "cuello",
        "collo",
        "pescoco",
        "carotid",
        "carotids",
        "larynx",
        "thyroid",
        "clavicle",
        "scapula",
        "sternum",
        "rib",
        "ribs",
        "breast",
        "forearm",
        "finger",
        "thumb",
        "thigh",
        "patella",
        "calf",
        "calcaneus",
        "toe",
        "wholebody",
        "hip",
        "knee",
        "knie",
        "foot",
        "fuss",
        "ankle",
        "leg",
        "legs",
        "arm",
        "hand",
        "wrist",
        "elbow",
        "shoulder",
        "schulter",
        "extremity",
        "heart",
        "cardiac",
        "coronary",
        "aorta",
        "liver",
        "leber",
        "kidney",
        "niere",
        "pancreas",
        "spleen",
        "bladder",
        "uterus",
        "prostate",
        "colon",
        "femur",
        "tibia",
        "humerus",
        "herz",
        "rodilla",
        "hombro",
        "cadera",
        "pulmon",
        "pulmao",
        "coeur",
        "foie",
        "genou",
        "poitrine",
        "ginocchio",
        "borst",
        "buik",
        "bekken",
        "urogram",
        "joelho",
    ];
    const OTHER_STEMS: &[&str] = &[
        "thorac",
        "torac",
        "lumb",
        "wirbels",
        "rachis",
        "column",
        "colonn",
        "extremit",
        "abdom",
        "pulmon",
        "polmon",
        "hepat",
        "renal",
        "wervel",
        "chest",
        "neckchest",
        "addom",
    ];
    let words = words(text);
    let any = |whole: &[&str], stems: &[&str]| words.iter().any(|it| is_one(it, whole, stems));
    if any(HEAD, HEAD_STEMS) {
        return Some(Part::Head);
    }
    any(OTHER, OTHER_STEMS).then_some(Part::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_body_in_several_languages() {
        let other = [
            "ABDOMEN",
            "ABD 5.0",
            "CHEST",
            "HELICAL CHEST",
            "Tórax",
            "CSPINE",
            "C-SPINE BONE",
            "Becken",
            "Wirbelsäule",
            "rachis lombaire",
            "columna lumbar",
            "addome",
            "Knie rechts",
            "CHESTABDPELVIS",
            "CHESTABDOMEN",
            "NECKCHESTABDPELV",
            "ABDOMENPELVIS",
            "NECK",
            "SSPINE",
            "CLAVICLE",
            "RIB",
            "FOREARM",
            "THIGH",
            "BREAST",
            "CAROTID",
            "PATELLA",
        ];
        for text in other {
            assert_eq!(part(text), Some(Part::Other), "{text}");
        }
        let head = [
            "HEAD",
            "HEADNECK",
            "CEREBELLUM",
            "HEAD NECK CAROTID",
            "Schädel nativ",
            "cráneo",
            "crâne os",
            "HEAD AND C-SPINE",
            "BRAIN",
            "CEREBRUM",
            "Tête",
            "SKULL BASE 3.0",
            "Hersenen",
        ];
        for text in head {
            assert_eq!(part(text), Some(Part::Head), "{text}");
        }
        for text in ["", "5.0 H31s", "ROUTINE", "Trauma", "vasos", "alarm", "2.5/5mm"] {
            assert_eq!(part(text), None, "{text}");
        }
    }

    #[test]
    fn the_series_goes_before_the_study() {
        let header = |body_part: &str, series: &str, study: &str| {
            let source = crate::Source::File("a".into());
            let mut header = SliceHeader::new(source, crate::FileFormat::Dicom, [4, 4]);
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            header.body_part = text(body_part);
            header.series_description = text(series);
            header.study_description = text(study);
            [header]
        };
        let named = |header: [SliceHeader; 1]| other_body_part(header.iter()).map(|it| it.0);
        assert_eq!(named(header("ABDOMEN", "5.0", "")), Some("BodyPartExamined"));
        assert_eq!(named(header("", "CHEST", "CT HEAD")), Some("SeriesDescription"));
        assert_eq!(named(header("", "", "CT CHEST")), Some("StudyDescription"));
        assert_eq!(named(header("HEAD", "", "CT CHEST")), None);
        assert_eq!(named(header("", "Kopf 5.0", "Thorax")), None);
        assert_eq!(named(header("", "", "")), None);
    }
}
