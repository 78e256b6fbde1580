//! Every form of a result, as the programs of others read it.

mod codes;
mod fhir;
mod hl7;
mod pydicom;
mod sentence;
mod structured_report;
mod support;
mod validity;
mod webhook;
