//! Texts within HL7 fields (HL7 v2.5.1 §2.7): what separates is escaped, and so is what controls.

use std::fmt::Write;

/// `text` as the content of a field, component or subcomponent.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' => escaped.push_str("\\F\\"),
            '^' => escaped.push_str("\\S\\"),
            '~' => escaped.push_str("\\R\\"),
            '\\' => escaped.push_str("\\E\\"),
            '&' => escaped.push_str("\\T\\"),
            control if control.is_control() => {
                escaped.push_str("\\X");
                for byte in control.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a text does not fail.
                    let _ = write!(escaped, "{byte:02X}");
                }
                escaped.push('\\');
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// Components of a field, the empty ones at the end left out.
pub(super) fn components(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| escape(part)).collect();
    parts.join("^").trim_end_matches('^').to_owned()
}

/// A field's text without its escapes; those that are not known become a space.
pub(super) fn unescape(field: &str, separators: [char; 4]) -> String {
    let [component, repetition, escape, subcomponent] = separators;
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, after)) = rest.split_once(escape) {
        text.push_str(before);
        let Some((sequence, behind)) = after.split_once(escape) else {
            rest = after;
            break;
        };
        text.push(match sequence {
            "F" => '|',
            "S" => component,
            "R" => repetition,
            "E" => escape,
            "T" => subcomponent,
            _ => ' ',
        });
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_escaped_and_comes_back() {
        let text = "a|b^c~d\\e&f";
        assert_eq!(escape(text), "a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f");
        assert_eq!(unescape(&escape(text), ['^', '~', '\\', '&']), text);
        assert_eq!(escape("a\r\nb\u{85}"), "a\\X0D\\\\X0A\\b\\XC285\\");
        assert_eq!(components(&["a", "", "b^", "", ""]), "a^^b\\S\\");
    }

    #[test]
    fn broken_escapes_do_no_harm() {
        let separators = ['^', '~', '\\', '&'];
        for (field, text) in [("a\\", "a"), ("\\.br\\b", " b"), ("\\F", "F"), ("\\\\x", " x")] {
            assert_eq!(unescape(field, separators), text, "{field}");
        }
    }
}
