//! The result as a table, a row a slice.

use std::io::Write;

use hemora_ct::Label;
use hemora_model::{TriageOutput, TriageResult};

use crate::ReportError;
use crate::writer::{Writer, io_error};

pub(crate) const WRITER: Writer =
    Writer { file_name: "result.csv", holds: "a row for each slice", write };

fn write(output: &TriageOutput, out: &mut dyn Write) -> Result<(), ReportError> {
    write_csv(&output.result, out).map_err(io_error)
}

/// Writes the header and one row for each slice, in the order of the result: identifiers, position
/// (mm, empty if unknown), and a probability for each label.
///
/// # Errors
/// [`csv::Error`] if `writer` fails.
pub fn write_csv(result: &TriageResult, writer: impl Write) -> Result<(), csv::Error> {
    let mut table = csv::Writer::from_writer(writer);
    let identifiers = ["sop_instance_uid", "series_instance_uid", "study_instance_uid", "z_mm"];
    table.write_record(identifiers.into_iter().chain(Label::ALL.map(Label::name)))?;
    for study in &result.studies {
        for series in &study.series {
            for slice in &series.slices {
                table.write_field(&slice.sop_instance_uid)?;
                table.write_field(&series.series_instance_uid)?;
                table.write_field(&study.study_instance_uid)?;
                table.write_field(slice.z_mm.map_or(String::new(), |z| z.to_string()))?;
                for value in slice.probabilities.to_array() {
                    table.write_field(value.to_string())?;
                }
                table.write_record(None::<&[u8]>)?;
            }
        }
    }
    table.flush()?;
    Ok(())
}

/// The table of [`write_csv`] as text.
pub fn result_csv(result: &TriageResult) -> String {
    let mut bytes = Vec::new();
    write_csv(result, &mut bytes).expect("a Vec takes all that is written");
    String::from_utf8(bytes).expect("fields are text")
}
