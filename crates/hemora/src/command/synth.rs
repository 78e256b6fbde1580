//! `hemora synth`: phantoms in the competition's layout.

use hemora_base::ExitStatus;
use hemora_ct::Label;
use hemora_synth::{PhantomOptions, write_dataset};
use miette::{IntoDiagnostic, Result};

use crate::cli::SynthArgs;
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
    println!(
        "{}: {} patients ({} with hemorrhage), {} slices",
        out.display(),
        summary.patients,
        summary.positive_patients,
        summary.slices
    );
    for label in Label::ALL {
        println!("  {label:<18}{:>6} slices", summary.positive_slices[label.index()]);
    }
    Ok(ExitStatus::Success)
}
