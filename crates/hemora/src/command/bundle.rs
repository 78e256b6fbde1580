//! `hemora model bundle`: trained weights to a bundle with its card.

use hemora_base::ExitStatus;
use hemora_bundling::{BundleRequest, Bundled, bundle_network};
use hemora_ct::Views;
use miette::{IntoDiagnostic, Result};

use crate::cli::BundleArgs;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names the file and what it lacks.
pub fn run(arguments: &BundleArgs) -> Result<ExitStatus> {
    let BundleArgs { weights, views, slab_mm, series_run, own_fold, description } = arguments;
    let request = BundleRequest {
        weights: weights.clone(),
        about: description.about.clone(),
        views: views.as_deref().and_then(Views::named),
        slab_mm: *slab_mm,
        calibration: description.calibration.clone(),
        evaluations: description.evaluation.clone(),
        series_runs: series_run.clone(),
        own_fold: *own_fold,
        out: description.out.clone(),
    };
    let Bundled { bundle, warnings } = bundle_network(&request).into_diagnostic()?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    print(|output| {
        for (member, networks) in bundle.members() {
            let bytes = networks.slices.len() + networks.series.iter().map(Vec::len).sum::<usize>();
            writeln!(output, "{}: {bytes} bytes of ONNX", description.out.display())?;
            for stage in &member.series {
                writeln!(output, "{} networks of series, {}", stage.sha256.len(), stage.network)?;
            }
        }
        Ok(())
    })?;
    Ok(ExitStatus::Success)
}
