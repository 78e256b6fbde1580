//! The key images as a key object selection (PS3.3 A.35.4, PS3.16 TID 2010).

use dicom_dictionary_std::{tags, uids};

use super::Object;
use super::content::{self, CONTAINS};
use super::modules::{self, Header};
use crate::codes;
use crate::report::Report;
use crate::uid::Kind;
use crate::{InteropError, report_sentence};

/// The key images, marked "Of Interest".
///
/// # Errors
/// [`InteropError::NoKeyImages`] if there are none, else [`InteropError`] if the report has no form in
/// DICOM.
pub fn key_objects(report: &Report) -> Result<Object, InteropError> {
    report.check()?;
    if report.key_images.is_empty() {
        return Err(InteropError::NoKeyImages);
    }
    let kind = Kind::KeyObjects;
    let header = Header {
        kind,
        sop_class_uid: uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
        modality: "KO",
        series_number: "903",
        series_description: "Hemora ICH key images, research use",
    };
    let mut data = modules::data_set(report, &header);
    data.put_items(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, vec![]);
    let evidence = tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE;
    let study = &report.identity.study_instance_uid;
    modules::put_evidence(&mut data, evidence, study, modules::image_evidence(report));
    let mut items = content::observer(report);
    let sentence = report_sentence(report);
    items.extend(content::text(CONTAINS, &codes::KEY_OBJECT_DESCRIPTION, &sentence));
    let images = report.key_images.iter().map(modules::image_reference);
    items.extend(images.map(|reference| content::image(None, reference)));
    content::put_container(&mut data, &codes::OF_INTEREST, Some("2010"), items);
    let [instance, series] = modules::uids(report, kind);
    data.into_object(header.sop_class_uid, instance, series)
}
