//! `hemora synth`: phantoms in the competition's layout.

use hemora_base::ExitStatus;
use hemora_ct::Label;
use hemora_synth::{PhantomOptions, write_dataset};
use miette::{IntoDiagnostic, Result};

use crate::cli::SynthArgs;
use crate::output::print;
use crate::progress;

/// Runs the command.
///
/// # Errors
/// A report that names the file or the setting.
pub fn run(arguments: &SynthArgs) -> Result<ExitStatus> {
    let options = PhantomOptions {
        slice_spacing: arguments.slice_spacing,
        slice_thickness: arguments.slice_thickness.unwrap_or(arguments.slice_spacing),
        ..PhantomOptions::default().with_size(arguments.size)
    };
    let bar = progress::bar("phantoms");
    let SynthArgs { out, seed, patients, .. } = arguments;
    let summary =
        write_dataset(out, *seed, *patients, &options, &progress::moves(&bar)).into_diagnostic()?;
    bar.finish_and_clear();
    print(|output| {
        writeln!(
            output,
            "{}: {} patients ({} with hemorrhage), {} slices",
            out.display(),
            summary.patients,
            summary.positive_patients,
            summary.slices
        )?;
        for label in Label::ALL {
            let slices = summary.positive_slices[label.index()];
            writeln!(output, "  {label:<18}{slices:>6} slices")?;
        }
        Ok(())
    })?;
    Ok(ExitStatus::Success)
}
