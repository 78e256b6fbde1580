//! `hemora ensemble`: several models as one, from their out-of-fold predictions to one bundle.

use std::path::PathBuf;

use hemora_base::ExitStatus;
use hemora_bundling::{EnsembleRequest, NamedPath, bundle_ensemble, fit_table};
use hemora_evaluation::{EnsembleOptions, fit_ensemble};
use miette::{IntoDiagnostic, Result};

use crate::cli::{EnsembleBundleArgs, EnsembleFitArgs};
use crate::output::{make_folder, print, write_json};

/// Runs `hemora ensemble fit`.
///
/// # Errors
/// A report that names the table and what does not fit.
pub fn fit(arguments: &EnsembleFitArgs) -> Result<ExitStatus> {
    let named = |it: &NamedPath| (it.name.clone(), it.path.clone());
    let tables: Vec<(String, PathBuf)> = arguments.tables.iter().map(named).collect();
    let EnsembleFitArgs { stacking, neighbours, .. } = *arguments;
    let options = EnsembleOptions { method: arguments.method.chosen(), stacking, neighbours };
    let (document, table) = fit_ensemble(&tables, options).into_diagnostic()?;
    make_folder(&arguments.out)?;
    let slices = arguments.out.join("slices.parquet");
    table.write(&slices).into_diagnostic()?;
    write_json(&arguments.out.join("ensemble.json"), &document)?;
    print(|output| {
        write!(output, "{}", fit_table(&document, table.rows.len()))?;
        writeln!(output, "written: {} and ensemble.json beside it", slices.display())
    })?;
    Ok(ExitStatus::Success)
}

/// Runs `hemora ensemble bundle`.
///
/// # Errors
/// A report that names the file and what does not fit.
pub fn bundle(arguments: &EnsembleBundleArgs) -> Result<ExitStatus> {
    let EnsembleBundleArgs { members, fit, series_run, slices_fit, description } = arguments;
    let request = EnsembleRequest {
        members: members.clone(),
        fit: fit.clone(),
        series_run: series_run.clone(),
        slices_fit: slices_fit.clone(),
        about: description.about.clone(),
        calibration: description.calibration.clone(),
        evaluations: description.evaluation.clone(),
        out: description.out.clone(),
    };
    let bundled = bundle_ensemble(&request).into_diagnostic()?;
    for warning in &bundled.warnings {
        eprintln!("warning: {warning}");
    }
    let (members, models) = (members.len(), bundled.bundle.info().models().len());
    let bytes = std::fs::metadata(&description.out).into_diagnostic()?.len() as f64;
    print(|output| {
        let out = description.out.display();
        writeln!(output, "{out}: {:.1} MB, {members} members of {models} models", bytes / 1e6)
    })?;
    Ok(ExitStatus::Success)
}
