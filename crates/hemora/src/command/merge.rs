//! `hemora merge`: the shares of a job, joined.

use hemora_base::ExitStatus;
use hemora_data::{IndexReport, LabelJoin, job_kind, merge_index};
use miette::{IntoDiagnostic, Result, bail};
use serde_json::json;

use super::archive;
use super::index::{problems, status, summary, write_problems};
use crate::cli::MergeArgs;
use crate::output::print;
use crate::progress;

/// Runs the command.
///
/// # Errors
/// A report that names the share or the file.
pub fn run(arguments: &MergeArgs) -> Result<ExitStatus> {
    match job_kind(&arguments.shares).into_diagnostic()?.as_str() {
        "index" => index(arguments),
        "triage" => archive::merged(arguments),
        other => bail!(
            help = "a newer Hemora may know it",
            "the shares are of a job of kind `{other}`, which this version cannot merge"
        ),
    }
}

/// Joins the shares of `hemora index`.
fn index(arguments: &MergeArgs) -> Result<ExitStatus> {
    let out = &arguments.out;
    let bar = progress::bar("merging");
    let moves = progress::moves(&bar);
    let report = merge_index(&arguments.shares, out, &moves).into_diagnostic()?;
    bar.finish_and_clear();
    let problems = problems(&report);
    write_problems(arguments.problems.as_deref(), &problems)?;
    print(|output| match arguments.json {
        true => writeln!(output, "{:#}", as_json(arguments, &report)),
        false => summary(output, &out.display().to_string(), &report, &problems),
    })?;
    Ok(status(&report))
}

fn as_json(arguments: &MergeArgs, report: &IndexReport) -> serde_json::Value {
    let labels = |join: &LabelJoin| {
        json!({
            "path": join.path,
            "images": join.used,
            "without_image": join.without_image.len(),
        })
    };
    json!({
        "kind": "index",
        "out": arguments.out,
        "images": report.slices,
        "failed": report.failed,
        "failures": report.failures,
        "other_files": report.other_files,
        "read": report.read,
        "unchanged": report.unchanged,
        "same_content": report.same_content,
        "gone": report.gone,
        "repeated_ids": report.repeated_ids,
        "without_series": report.without_series,
        "unlabelled": report.unlabelled,
        "labels": report.labels.iter().map(labels).collect::<Vec<_>>(),
    })
}
