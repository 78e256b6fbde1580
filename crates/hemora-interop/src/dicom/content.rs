//! Items of a content tree (PS3.3 C.17.3).

use dicom_core::VR;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;

use super::data_set::DataSet;
use crate::codes::{
    Code, DEVICE, DEVICE_MANUFACTURER, DEVICE_MODEL, DEVICE_NAME, DEVICE_SERIAL, DEVICE_UID,
    OBSERVER_TYPE, PERCENT,
};
use crate::report::Report;
use crate::text;

pub(super) const CONTAINS: &str = "CONTAINS";
pub(super) const MODIFIER: &str = "HAS CONCEPT MOD";
pub(super) const CONTEXT: &str = "HAS OBS CONTEXT";

fn item(relationship: &str, value_type: &str, name: &Code<'_>) -> DataSet {
    let mut item = DataSet::new();
    item.put(tags::RELATIONSHIP_TYPE, VR::CS, relationship);
    item.put(tags::VALUE_TYPE, VR::CS, value_type);
    item.put_code(tags::CONCEPT_NAME_CODE_SEQUENCE, name);
    item
}

pub(super) fn code(relationship: &str, name: &Code<'_>, value: &Code<'_>) -> DataSet {
    let mut item = item(relationship, "CODE", name);
    item.put_code(tags::CONCEPT_CODE_SEQUENCE, value);
    item
}

/// A text on one line; nothing where it is empty, since a text value must not be.
pub(super) fn text(relationship: &str, name: &Code<'_>, value: &str) -> Option<DataSet> {
    let value = text::line(value);
    (!value.is_empty()).then(|| {
        let mut item = item(relationship, "TEXT", name);
        item.put(tags::TEXT_VALUE, VR::UT, &value);
        item
    })
}

pub(super) fn uid(relationship: &str, name: &Code<'_>, value: &str) -> DataSet {
    let mut item = item(relationship, "UIDREF", name);
    item.put(tags::UID, VR::UI, value);
    item
}

/// A measurement in %.
pub(super) fn percent(name: &Code<'_>, value: f64) -> DataSet {
    let mut measured = DataSet::new();
    measured.put_code(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, &PERCENT);
    measured.put_numbers(tags::FLOATING_POINT_VALUE, VR::FD, PrimitiveValue::from(value));
    measured.put(tags::NUMERIC_VALUE, VR::DS, &value.to_string());
    let mut item = item(CONTAINS, "NUM", name);
    item.put_items(tags::MEASURED_VALUE_SEQUENCE, vec![measured]);
    item
}

/// An image; a key object selection gives it no name.
pub(super) fn image(name: Option<&Code<'_>>, reference: DataSet) -> DataSet {
    let mut item = DataSet::new();
    item.put(tags::RELATIONSHIP_TYPE, VR::CS, CONTAINS);
    item.put(tags::VALUE_TYPE, VR::CS, "IMAGE");
    if let Some(name) = name {
        item.put_code(tags::CONCEPT_NAME_CODE_SEQUENCE, name);
    }
    item.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![reference]);
    item
}

pub(super) fn container(name: &Code<'_>, template: Option<&str>, content: Vec<DataSet>) -> DataSet {
    let mut container = DataSet::new();
    container.put(tags::RELATIONSHIP_TYPE, VR::CS, CONTAINS);
    put_container(&mut container, name, template, content);
    container
}

/// Makes `data` a container: the root of a document, or an item.
pub(super) fn put_container(
    data: &mut DataSet,
    name: &Code<'_>,
    template: Option<&str>,
    content: Vec<DataSet>,
) {
    data.put(tags::VALUE_TYPE, VR::CS, "CONTAINER");
    data.put_code(tags::CONCEPT_NAME_CODE_SEQUENCE, name);
    data.put(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    if let Some(template) = template {
        let mut item = DataSet::new();
        item.put(tags::MAPPING_RESOURCE, VR::CS, "DCMR");
        item.put(tags::TEMPLATE_IDENTIFIER, VR::CS, template);
        data.put_items(tags::CONTENT_TEMPLATE_SEQUENCE, vec![item]);
    }
    data.put_items(tags::CONTENT_SEQUENCE, content);
}

/// Who observed: the node, as a device (PS3.16 TID 1004).
pub(super) fn observer(report: &Report) -> Vec<DataSet> {
    let node = &report.node;
    let model = format!("{} {}", report.model.name, report.model.version);
    let mut items =
        vec![code(CONTEXT, &OBSERVER_TYPE, &DEVICE), uid(CONTEXT, &DEVICE_UID, &node.uid)];
    let texts = [
        (DEVICE_NAME, node.name.as_str()),
        (DEVICE_MANUFACTURER, "Hemora"),
        (DEVICE_MODEL, &model),
        (DEVICE_SERIAL, &node.uid),
    ];
    items.extend(texts.iter().filter_map(|(name, value)| text(CONTEXT, name, value)));
    items
}
