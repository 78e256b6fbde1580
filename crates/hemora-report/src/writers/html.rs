//! `report.html`: the page for readers, with pictures of the key slices.

use std::io::Write;

use hemora_model::TriageOutput;
use rayon::prelude::*;

use crate::writer::Writer;
use crate::{ReportError, SlicePicture, write_html};

pub(crate) const WRITER: Writer =
    Writer { file_name: "report.html", holds: "the report, one page with pictures", write };

fn write(output: &TriageOutput, mut out: &mut dyn Write) -> Result<(), ReportError> {
    let drawn = output.key_slices.par_iter().map(SlicePicture::from_key_slice);
    let pictures = drawn.collect::<Result<Vec<_>, _>>()?;
    write_html(&mut out, &output.result, &pictures)
}
