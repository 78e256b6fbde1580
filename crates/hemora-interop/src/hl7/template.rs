//! What a site wants to be different in its messages, field by field: every RIS differs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::escape::escape;
use super::segment::Segment;

/// Segments whose fields a site may change, those that are added if the message has none marked.
const SEGMENTS: [(&str, bool); 7] = [
    ("MSH", false),
    ("PID", true),
    ("PV1", true),
    ("ORC", false),
    ("OBR", false),
    ("TQ1", false),
    ("OBX", false),
];

/// Fields by which a message is read, acknowledged and told from the next.
const FIXED: [(&str, &[usize]); 2] = [("MSH", &[1, 2, 9, 10, 12, 18]), ("OBX", &[1, 2, 3, 5])];

/// Most fields of a segment.
const FIELD_LIMIT: usize = 60;

/// Fields that replace those of the message, such as `"OBR-4" = "CTHEAD^CT head^L"`. A value is HL7
/// as it stands, in which `{patient_id}` and the like are replaced (see [`Template::PLACEHOLDERS`]),
/// already escaped; an empty value empties the field. Of OBX all are changed alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Template(BTreeMap<String, String>);

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The key names no field.
    #[error(
        "{0:?} is no field; write a segment of MSH, PID, PV1, ORC, OBR, TQ1, OBX and a number, such as \"PID-3\""
    )]
    Key(String),
    /// The field must not be changed.
    #[error("{0} cannot be changed: messages are read and acknowledged by it")]
    Fixed(String),
    /// The value would end the field.
    #[error("the value of {0} has a `|` or a control character; write \\F\\ for a `|`")]
    Separator(String),
    /// A placeholder is not known.
    #[error("the value of {field} has the unknown placeholder {{{name}}}; known are {}", Template::PLACEHOLDERS.join(", "))]
    Placeholder {
        /// The field.
        field: String,
        /// The placeholder.
        name: String,
    },
}

impl Template {
    /// What a value may name in braces. Those of the patient are empty where a destination gets none.
    pub const PLACEHOLDERS: [&'static str; 15] = [
        "patient_id",
        "issuer_of_patient_id",
        "patient_name",
        "birth_date",
        "sex",
        "accession_number",
        "study_id",
        "study_uid",
        "procedure_code",
        "procedure_meaning",
        "result_uid",
        "class",
        "revision",
        "sentence",
        "made_at",
    ];

    /// Changes `segments`; `value` gives what a placeholder stands for, not escaped.
    pub(super) fn apply(&self, segments: &mut Vec<Segment>, value: &dyn Fn(&str) -> String) {
        for (key, template) in &self.0 {
            // Checked when the template was made.
            let Some((segment, field)) = parse_key(key) else { continue };
            let filled = fill(template, value);
            let known = SEGMENTS.iter().find(|(name, _)| *name == segment);
            let is_there = segments.iter().any(|it| it.name == segment);
            if let (Some((name, true)), false) = (known, is_there) {
                // PID, then PV1, behind MSH.
                let place = 1 + usize::from(segments.get(1).is_some_and(|it| it.name == "PID"));
                let first = (1, "1".to_owned());
                segments
                    .insert(if *name == "PID" { 1 } else { place }, Segment::new(name, [first]));
            }
            for target in segments.iter_mut().filter(|it| it.name == segment) {
                target.fields.insert(field, filled.clone());
            }
        }
    }
}

impl TryFrom<BTreeMap<String, String>> for Template {
    type Error = TemplateError;

    fn try_from(fields: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        for (key, value) in &fields {
            let (segment, field) = parse_key(key).ok_or_else(|| TemplateError::Key(key.clone()))?;
            if FIXED.iter().any(|(name, fixed)| *name == segment && fixed.contains(&field)) {
                return Err(TemplateError::Fixed(key.clone()));
            }
            if value.chars().any(|letter| letter == '|' || letter.is_control()) {
                return Err(TemplateError::Separator(key.clone()));
            }
            let unknown = placeholders(value).find(|name| !Template::PLACEHOLDERS.contains(name));
            if let Some(name) = unknown {
                let name = name.to_owned();
                return Err(TemplateError::Placeholder { field: key.clone(), name });
            }
        }
        Ok(Self(fields))
    }
}

impl From<Template> for BTreeMap<String, String> {
    fn from(template: Template) -> Self {
        template.0
    }
}

/// The segment and the number of a field such as `PID-3`.
fn parse_key(key: &str) -> Option<(&str, usize)> {
    let (segment, field) = key.split_once('-')?;
    SEGMENTS.iter().find(|(name, _)| *name == segment)?;
    let plain = field.bytes().all(|byte| byte.is_ascii_digit()) && !field.starts_with('0');
    let field = field.parse().ok().filter(|field| plain && *field <= FIELD_LIMIT)?;
    Some((segment, field))
}

/// The names in braces.
fn placeholders(value: &str) -> impl Iterator<Item = &str> {
    value.split('{').skip(1).map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name))
}

fn fill(template: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut parts = template.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(&escape(&value(name)));
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(key: &str, value: &str) -> Result<Template, TemplateError> {
        Template::try_from(BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    #[test]
    fn wrong_templates_are_named() {
        for key in
            ["PID", "PID-", "PID-0", "PID-03", "PID-61", "PID--1", "ZZZ-1", "pid-3", "PID-3.1"]
        {
            assert_eq!(template(key, ""), Err(TemplateError::Key(key.into())));
        }
        assert_eq!(template("MSH-10", "1"), Err(TemplateError::Fixed("MSH-10".into())));
        assert_eq!(template("PID-3", "a|b"), Err(TemplateError::Separator("PID-3".into())));
        assert_eq!(template("PID-3", "a\rZZZ"), Err(TemplateError::Separator("PID-3".into())));
        for value in ["{patient}", "a{", "{}"] {
            let error = template("PID-3", value).unwrap_err();
            assert!(matches!(error, TemplateError::Placeholder { .. }), "{value}: {error}");
        }
    }

    #[test]
    fn placeholders_are_filled_and_escaped() {
        let template = template("PID-3", "{patient_id}^^^{issuer_of_patient_id}&x").unwrap();
        let mut segments = vec![Segment::new("MSH", [])];
        template.apply(&mut segments, &|name| format!("<{name}|>"));
        let field = &segments[1].fields[&3];
        assert_eq!(field, "<patient_id\\F\\>^^^<issuer_of_patient_id\\F\\>&x");
    }
}
