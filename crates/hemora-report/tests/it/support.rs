//! Results and slices to report on, and the reader of the page in another language.

use std::path::Path;

use hemora_ct::{Label, Probabilities, Slice};
use hemora_model::{
    Acquisition, Flag, ModelRef, SCHEMA_VERSION, SeriesResult, SliceResult, StudyResult, ToolRef,
    TriageResult,
};
use hemora_report::{SlicePicture, write_html};

/// A result of these studies; the model's name holds markup.
pub fn result(studies: Vec<StudyResult>) -> TriageResult {
    TriageResult {
        schema_version: SCHEMA_VERSION,
        notice: String::new(),
        tool: ToolRef { name: "hemora".into(), version: "9.8.7".into() },
        model: ModelRef {
            name: "Lite <b".into(),
            version: "3".into(),
            sha256: "0123456789abcdef".repeat(4),
            series_sha256: vec!["89abcdef".repeat(8); 2],
            member_sha256: vec!["76543210".repeat(8); 3],
        },
        engine: "tract".into(),
        studies,
        skipped: vec![],
        skipped_more: vec![],
    }
}

/// A study of one series of `slices` slices.
pub fn study(uid: &str, any: f32, slices: usize) -> StudyResult {
    let series = series(&format!("{uid}.1"), any, slices);
    StudyResult {
        flags: [Label::Any, Label::Subdural]
            .map(|label| Flag {
                operating_point: "sensitivity=0.95".to_owned(),
                label,
                threshold: 0.25,
                flagged_slices: 2,
            })
            .to_vec(),
        certainty: vec![],
        study_instance_uid: uid.into(),
        patient_id: "P-1".into(),
        probabilities: series.probabilities,
        series: vec![series],
        warnings: vec![],
    }
}

/// A series whose slice probabilities grow with the slice number up to `any`.
pub fn series(uid: &str, any: f32, slices: usize) -> SeriesResult {
    let slice = |index: usize| SliceResult {
        sop_instance_uid: format!("{uid}.{index}"),
        source: format!("{index}.dcm"),
        z_mm: Some(5.0 * index as f64 - 20.0),
        probabilities: probabilities(any * (index + 1) as f32 / slices as f32),
        regions: vec![],
    };
    SeriesResult {
        series_instance_uid: uid.into(),
        description: None,
        probabilities: probabilities(any),
        acquisition: Acquisition { rows: 512, columns: 512, bits_stored: 12, ..Default::default() },
        slices: (0..slices).map(slice).collect(),
        warnings: vec![],
    }
}

fn probabilities(any: f32) -> Probabilities {
    Probabilities { any, subdural: 0.8 * any, subarachnoid: 0.3 * any, ..Default::default() }
}

/// A slice of changing HU.
pub fn slice(rows: usize, columns: usize) -> Slice {
    let hu = (0..rows * columns).map(|index| (index % 90) as f32).collect();
    Slice::new(rows, columns, hu, None).unwrap()
}

/// The page as text.
pub fn page(result: &TriageResult, keys: &[SlicePicture]) -> String {
    let mut out = Vec::new();
    write_html(&mut out, result, keys).unwrap();
    String::from_utf8(out).unwrap()
}

/// The text of a page as Python's parser reads it; panics if tags do not balance.
pub fn text_by_python(python: &Path, html: &str) -> String {
    const PROGRAM: &str = r#"
import html.parser, sys
class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), (tag, names)
        assert not any(name.startswith("on") for name in names), (tag, names)
        if tag != "meta":
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            sys.stdout.buffer.write(data.encode())
reader = Reader()
reader.feed(sys.stdin.buffer.read().decode())
reader.close()
assert not reader.open, reader.open
"#;
    let words = hemora_testing::run_python(python, PROGRAM, &[""; 0], html.as_bytes());
    String::from_utf8(words).unwrap()
}
