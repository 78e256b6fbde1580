//! The modules that all our objects have, and how they refer to images.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::data_set::DataSet;
use crate::report::{KeyImage, Report};
use crate::text;
use crate::uid::{Kind, report_uid, series_uid};

/// What an object is, beside what it holds.
pub(super) struct Header<'a> {
    pub(super) kind: Kind,
    pub(super) sop_class_uid: &'a str,
    pub(super) modality: &'a str,
    /// Beyond those of a scanner, so that our series come last.
    pub(super) series_number: &'a str,
    pub(super) series_description: &'a str,
}

/// UIDs of the object and of its series.
pub(super) fn uids(report: &Report, kind: Kind) -> [String; 2] {
    [revision_uid(report, report.revision, kind), series_uid(report, kind)]
}

/// UID of the object of a revision.
pub(super) fn revision_uid(report: &Report, revision: u32, kind: Kind) -> String {
    report_uid(&report.node.uid, &report.identity.study_instance_uid, revision, kind)
}

/// A data set with patient, study, series, equipment and SOP common modules (PS3.3 C.7.1 to C.7.5,
/// C.12.1). What is not known of the study is empty, as type 2 allows.
pub(super) fn data_set(report: &Report, header: &Header<'_>) -> DataSet {
    let mut data = DataSet::new();
    data.put(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    patient_and_study(&mut data, report);
    let [sop_instance_uid, series_instance_uid] = uids(report, header.kind);
    data.put(tags::SOP_CLASS_UID, VR::UI, header.sop_class_uid);
    data.put(tags::SOP_INSTANCE_UID, VR::UI, &sop_instance_uid);
    data.put(tags::INSTANCE_NUMBER, VR::IS, &report.revision.to_string());
    data.put(tags::MODALITY, VR::CS, header.modality);
    data.put(tags::SERIES_INSTANCE_UID, VR::UI, &series_instance_uid);
    data.put(tags::SERIES_NUMBER, VR::IS, header.series_number);
    data.put_text(tags::SERIES_DESCRIPTION, VR::LO, header.series_description);
    data.put(tags::MANUFACTURER, VR::LO, "Hemora");
    data.put(tags::MANUFACTURER_MODEL_NAME, VR::LO, "Hemora");
    data.put_text(tags::STATION_NAME, VR::SH, &report.node.ae_title);
    data.put_text(tags::DEVICE_SERIAL_NUMBER, VR::LO, &report.node.uid);
    data.put_text(tags::SOFTWARE_VERSIONS, VR::LO, &report.node.version);
    let made = report.local_time();
    let (date, time) = (made.format("%Y%m%d").to_string(), made.format("%H%M%S").to_string());
    data.put(tags::CONTENT_DATE, VR::DA, &date);
    data.put(tags::CONTENT_TIME, VR::TM, &time);
    data.put(tags::INSTANCE_CREATION_DATE, VR::DA, &date);
    data.put(tags::INSTANCE_CREATION_TIME, VR::TM, &time);
    data
}

fn patient_and_study(data: &mut DataSet, report: &Report) {
    let identity = &report.identity;
    data.put(tags::PATIENT_NAME, VR::PN, &text::person_name(&identity.patient_name));
    data.put_text(tags::PATIENT_ID, VR::LO, &identity.patient_id);
    data.put(tags::PATIENT_BIRTH_DATE, VR::DA, text::date(&identity.patient_birth_date));
    data.put(tags::PATIENT_SEX, VR::CS, text::sex(&identity.patient_sex));
    data.put(tags::STUDY_INSTANCE_UID, VR::UI, &identity.study_instance_uid);
    data.put(tags::STUDY_DATE, VR::DA, text::date(&identity.study_date));
    data.put(tags::STUDY_TIME, VR::TM, text::time(&identity.study_time));
    data.put_text(tags::ACCESSION_NUMBER, VR::SH, &identity.accession_number);
    data.put_text(tags::STUDY_ID, VR::SH, &identity.study_id);
    let physician = text::person_name(&identity.referring_physician);
    data.put(tags::REFERRING_PHYSICIAN_NAME, VR::PN, &physician);
    // Optional, so that an empty one would say that the study has none.
    let optional = [
        (tags::ISSUER_OF_PATIENT_ID, VR::LO, &identity.issuer_of_patient_id),
        (tags::STUDY_DESCRIPTION, VR::LO, &identity.study_description),
    ];
    for (tag, vr, value) in optional {
        if !text::value(value, 64).is_empty() {
            data.put_text(tag, vr, value);
        }
    }
}

/// The item that refers to an image (PS3.3 §10.8), with its frame if it has several.
pub(super) fn image_reference(image: &KeyImage) -> DataSet {
    let mut item = sop_reference(&image.sop_class_uid, &image.sop_instance_uid);
    if let Some(frame) = image.frame {
        item.put(tags::REFERENCED_FRAME_NUMBER, VR::IS, &frame.to_string());
    }
    item
}

/// The item that refers to an object.
pub(super) fn sop_reference(class: &str, instance: &str) -> DataSet {
    let mut item = DataSet::new();
    item.put(tags::REFERENCED_SOP_CLASS_UID, VR::UI, class);
    item.put(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, instance);
    item
}

/// Puts where the objects are to which the document refers, by study and series (PS3.3 C.17.2.1);
/// nothing if there are none. Each of `objects` is a series and the reference of an object in it.
pub(super) fn put_evidence(
    data: &mut DataSet,
    tag: Tag,
    study: &str,
    objects: Vec<(String, DataSet)>,
) {
    let mut series: Vec<(String, Vec<DataSet>)> = Vec::new();
    for (uid, object) in objects {
        match series.iter_mut().find(|(known, _)| *known == uid) {
            Some((_, objects)) => objects.push(object),
            None => series.push((uid, vec![object])),
        }
    }
    if series.is_empty() {
        return;
    }
    let items = series.into_iter().map(|(uid, objects)| {
        let mut item = DataSet::new();
        item.put(tags::SERIES_INSTANCE_UID, VR::UI, &uid);
        item.put_items(tags::REFERENCED_SOP_SEQUENCE, objects);
        item
    });
    let mut of_study = DataSet::new();
    of_study.put_items(tags::REFERENCED_SERIES_SEQUENCE, items.collect());
    of_study.put(tags::STUDY_INSTANCE_UID, VR::UI, study);
    data.put_items(tag, vec![of_study]);
}

/// The images that a document shows, each once.
pub(super) fn image_evidence(report: &Report) -> Vec<(String, DataSet)> {
    let mut known: Vec<&str> = Vec::new();
    let mut evidence = Vec::new();
    for image in &report.key_images {
        if !known.contains(&image.sop_instance_uid.as_str()) {
            known.push(&image.sop_instance_uid);
            let reference = sop_reference(&image.sop_class_uid, &image.sop_instance_uid);
            evidence.push((image.series_instance_uid.clone(), reference));
        }
    }
    evidence
}
