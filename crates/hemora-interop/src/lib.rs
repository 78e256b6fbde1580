//! A triage result in the forms that other systems read.
//!
//! | form | function |
//! |---|---|
//! | DICOM Comprehensive 3D SR (TID 1500) | [`structured_report`] |
//! | DICOM secondary capture | [`secondary_capture`] |
//! | DICOM key object selection | [`key_objects`] |
//! | HL7 v2.5.1 ORU^R01, its frames and acknowledgements | [`oru`], [`mllp`], [`parse_ack`] |
//! | FHIR R4 transaction | [`fhir_bundle`] |
//! | JSON for a webhook, and its signature | [`webhook_body`], [`sign`] |
//! | plain English | [`report_sentence`] |
//!
//! All are pure functions of a [`Report`]: no files, no clock, no chance. The same report gives the same
//! bytes and the same UIDs, so that whatever is sent twice is known to the receiver. Texts that came from
//! files are cleaned for each form; what is not known stays empty.

pub mod codes;
mod dicom;
mod error;
mod fhir;
mod hl7;
mod report;
mod sentence;
mod text;
mod uid;
mod webhook;

pub use dicom::{Object, Picture, key_objects, secondary_capture, structured_report};
pub use error::InteropError;
pub use fhir::fhir_bundle;
pub use hemora_model::Verdict;
pub use hl7::{
    Ack, AckCode, AckError, OruOptions, Template, TemplateError, control_id, mllp, oru, parse_ack,
};
pub use report::{Class, Finding, KeyImage, Node, Report, Thresholds};
pub use sentence::{INCOMPLETE, report_sentence};
pub use uid::{Kind, report_uid};
pub use webhook::{sign, webhook_body};
