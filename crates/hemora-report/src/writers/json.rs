//! `result.json`: the result document as it is.

use std::io::Write;

use hemora_model::TriageOutput;

use crate::ReportError;
use crate::writer::{Writer, io_error};

pub(crate) const WRITER: Writer =
    Writer { file_name: "result.json", holds: "every probability, as JSON", write };

fn write(output: &TriageOutput, out: &mut dyn Write) -> Result<(), ReportError> {
    serde_json::to_writer_pretty(out, &output.result).map_err(io_error)
}
