//! The codes of all forms, in this file alone.
//!
//! How each was checked. Those of DCM, of UCUM and most of SNOMED CT stand in PS3.16 as pydicom 3.0 prints
//! it, and a test compares them. The others by hand, until somebody with a SNOMED browser signs the table:
//!
//! | code | checked |
//! |---|---|
//! | 1386000 Intracranial hemorrhage | PS3.16 |
//! | 274100004 Cerebral hemorrhage | OHDSI's vocabulary |
//! | 21454007 Subarachnoid intracranial hemorrhage | full name in a value set of HL7 |
//! | 35486000 Subdural intracranial hemorrhage | two lists, one derived from OHDSI's; 95455008 is in use too |
//! | 82999001 Epidural intracranial hemorrhage | a list derived from OHDSI's; 83329005 is in use too |
//! | 705057003 Presence | highdicom's and DICOM's examples; not in pydicom's tables |
//! | intraventricular | **not**: public programs use four different codes, so it goes out under our own scheme |

use hemora_ct::Label;
use hemora_model::Verdict;

use crate::report::Class;

/// Designator of our own codes. Those that begin with 99 are private (PS3.16 §8).
pub const PRIVATE_SCHEME: &str = "99HEMORA";

/// Name of our own codes.
pub(crate) const PRIVATE_SCHEME_NAME: &str = "Hemora codes until standard ones are verified";

/// Whoever answers for our own codes.
pub(crate) const PRIVATE_SCHEME_ORGANIZATION: &str = "https://github.com/hemora/hemora";

/// A coded concept: code value, coding scheme designator and code meaning (PS3.3 §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code<'a> {
    /// Code value, at most 16 characters.
    pub value: &'a str,
    /// Coding scheme designator.
    pub scheme: &'a str,
    /// Code meaning, at most 64 characters.
    pub meaning: &'a str,
}

const fn dcm(value: &'static str, meaning: &'static str) -> Code<'static> {
    Code { value, scheme: "DCM", meaning }
}

const fn sct(value: &'static str, meaning: &'static str) -> Code<'static> {
    Code { value, scheme: "SCT", meaning }
}

const fn private(value: &'static str, meaning: &'static str) -> Code<'static> {
    Code { value, scheme: PRIVATE_SCHEME, meaning }
}

pub(crate) const IMAGING_MEASUREMENT_REPORT: Code = dcm("126000", "Imaging Measurement Report");
pub(crate) const LANGUAGE: Code = dcm("121049", "Language of Content Item and Descendants");
pub(crate) const ENGLISH: Code = Code { value: "en", scheme: "RFC5646", meaning: "English" };
pub(crate) const OBSERVER_TYPE: Code = dcm("121005", "Observer Type");
pub(crate) const DEVICE: Code = dcm("121007", "Device");
pub(crate) const DEVICE_UID: Code = dcm("121012", "Device Observer UID");
pub(crate) const DEVICE_NAME: Code = dcm("121013", "Device Observer Name");
pub(crate) const DEVICE_MANUFACTURER: Code = dcm("121014", "Device Observer Manufacturer");
pub(crate) const DEVICE_MODEL: Code = dcm("121015", "Device Observer Model Name");
pub(crate) const DEVICE_SERIAL: Code = dcm("121016", "Device Observer Serial Number");
pub(crate) const PROCEDURE_REPORTED: Code = dcm("121058", "Procedure reported");
/// What was done where the images do not say it.
pub(crate) const CT_OF_HEAD: Code = sct("303653007", "Computed tomography of head");
pub(crate) const IMAGING_MEASUREMENTS: Code = dcm("126010", "Imaging Measurements");
pub(crate) const MEASUREMENT_GROUP: Code = dcm("125007", "Measurement Group");
pub(crate) const TRACKING_ID: Code = dcm("112039", "Tracking Identifier");
pub(crate) const TRACKING_UID: Code = dcm("112040", "Tracking Unique Identifier");
pub(crate) const FINDING: Code = dcm("121071", "Finding");
pub(crate) const FINDING_SITE: Code = sct("363698007", "Finding Site");
pub(crate) const BRAIN: Code = sct("12738006", "Brain");
pub(crate) const ALGORITHM_NAME: Code = dcm("111001", "Algorithm Name");
pub(crate) const ALGORITHM_VERSION: Code = dcm("111003", "Algorithm Version");
pub(crate) const ALGORITHM_PARAMETERS: Code = dcm("111002", "Algorithm Parameters");
/// CID 6048 has it for just this; 111047, which others use, is the probability of *cancer*.
pub(crate) const CERTAINTY: Code = dcm("111012", "Certainty of Finding");
pub(crate) const PERCENT: Code = Code { value: "%", scheme: "UCUM", meaning: "percent" };
pub(crate) const PRESENCE: Code = sct("705057003", "Presence");
pub(crate) const SOURCE_IMAGE: Code = dcm("121112", "Source of Measurement");
pub(crate) const COMMENT: Code = dcm("121106", "Comment");
pub(crate) const OF_INTEREST: Code = dcm("113000", "Of Interest");
pub(crate) const KEY_OBJECT_DESCRIPTION: Code = dcm("113012", "Key Object Description");
/// Purpose of the reference to the image behind a capture.
pub(crate) const SOURCE_OF_CAPTURE: Code =
    dcm("121322", "Source Image for Image Processing Operation");
pub(crate) const STUDY_UID: Code = dcm("110180", "Study Instance UID");

/// The procedure of our own results, in HL7 and FHIR.
pub(crate) const TRIAGE: Code = private("HEMORA-ICH", "Intracranial hemorrhage triage");
pub(crate) const CLASS: Code = private("HEMORA-CLASS", "Triage class");
pub(crate) const SENTENCE: Code = private("HEMORA-SENTENCE", "Triage result in words");
pub(crate) const MODEL: Code = private("HEMORA-MODEL", "Triage model");
pub(crate) const NOTICE: Code = private("HEMORA-NOTICE", "Conditions of use");
pub(crate) const WARNING: Code = private("HEMORA-WARNING", "Warning about the study");
pub(crate) const LINK: Code = private("HEMORA-LINK", "Page of the study");

/// The code of a label.
pub fn finding(label: Label) -> Code<'static> {
    match label {
        Label::Any => sct("1386000", "Intracranial hemorrhage"),
        Label::Intraparenchymal => sct("274100004", "Cerebral hemorrhage"),
        Label::Subarachnoid => sct("21454007", "Subarachnoid intracranial hemorrhage"),
        Label::Subdural => sct("35486000", "Subdural intracranial hemorrhage"),
        Label::Epidural => sct("82999001", "Epidural intracranial hemorrhage"),
        Label::Intraventricular => private("IVH", "Intraventricular hemorrhage"),
    }
}

/// The code of whether something is there.
pub fn presence(presence: Verdict) -> Code<'static> {
    match presence {
        Verdict::Present => sct("52101004", "Present"),
        Verdict::Absent => sct("272519000", "Absent"),
        Verdict::NotSure => sct("82334004", "Indeterminate"),
    }
}

/// The code of what is said of a study.
pub fn class(class: Class) -> Code<'static> {
    match class {
        Class::Positive => private("POSITIVE", "Intracranial hemorrhage called present"),
        Class::NotSure => {
            private("NOT-SURE", "Intracranial hemorrhage neither called present nor absent")
        }
        Class::Negative => private("NEGATIVE", "Intracranial hemorrhage called absent"),
    }
}

/// Every standard code that goes out, for whoever checks the table.
pub fn standard_codes() -> Vec<Code<'static>> {
    let fixed = [
        IMAGING_MEASUREMENT_REPORT,
        LANGUAGE,
        OBSERVER_TYPE,
        DEVICE,
        DEVICE_UID,
        DEVICE_NAME,
        DEVICE_MANUFACTURER,
        DEVICE_MODEL,
        DEVICE_SERIAL,
        PROCEDURE_REPORTED,
        CT_OF_HEAD,
        IMAGING_MEASUREMENTS,
        MEASUREMENT_GROUP,
        TRACKING_ID,
        TRACKING_UID,
        FINDING,
        FINDING_SITE,
        BRAIN,
        ALGORITHM_NAME,
        ALGORITHM_VERSION,
        ALGORITHM_PARAMETERS,
        CERTAINTY,
        PERCENT,
        PRESENCE,
        SOURCE_IMAGE,
        COMMENT,
        OF_INTEREST,
        KEY_OBJECT_DESCRIPTION,
        SOURCE_OF_CAPTURE,
        STUDY_UID,
    ];
    let presences = [Verdict::Present, Verdict::Absent, Verdict::NotSure].map(presence);
    let findings = Label::ALL.map(finding).into_iter().filter(|code| code.scheme != PRIVATE_SCHEME);
    fixed.into_iter().chain(presences).chain(findings).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fit_their_attributes() {
        let own = [
            TRIAGE,
            CLASS,
            SENTENCE,
            MODEL,
            NOTICE,
            WARNING,
            LINK,
            finding(Label::Intraventricular),
        ];
        let classes = [Class::Positive, Class::NotSure, Class::Negative].map(class);
        for code in standard_codes().into_iter().chain(own).chain(classes) {
            assert!(code.value.len() <= 16 && code.scheme.len() <= 16, "{code:?}");
            assert!(code.meaning.len() <= 64, "{code:?}");
        }
    }

    #[test]
    fn labels_have_codes_of_their_own() {
        let codes = Label::ALL.map(|label| finding(label).value);
        for (index, code) in codes.iter().enumerate() {
            assert!(!codes[..index].contains(code), "{code}");
        }
    }
}
