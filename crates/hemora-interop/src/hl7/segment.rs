//! Segments of a message, by the numbers of their fields.

use std::collections::BTreeMap;

/// A segment; fields that are not there are empty.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) name: &'static str,
    pub(super) fields: BTreeMap<usize, String>,
}

impl Segment {
    pub(super) fn new<const N: usize>(name: &'static str, fields: [(usize, String); N]) -> Self {
        Self { name, fields: fields.into() }
    }

    /// The segment with its end.
    fn text(&self) -> String {
        // The first field of MSH is the separator itself.
        let first = if self.name == "MSH" { 2 } else { 1 };
        let last =
            self.fields.iter().filter(|(_, value)| !value.is_empty()).map(|(at, _)| *at).max();
        let mut text = self.name.to_owned();
        for at in first..=last.unwrap_or(0) {
            text.push('|');
            text.push_str(self.fields.get(&at).map_or("", String::as_str));
        }
        text.push('\r');
        text
    }
}

/// The message of these segments.
pub(super) fn message(segments: &[Segment]) -> String {
    segments.iter().map(Segment::text).collect()
}
