//! `hemora triage --index`, and `hemora merge` of its shares: an archive in shares, and what they make together.

use std::path::Path;

use hemora_archive::{Counts, MergedManifest, ShareManifest, ShareTriage, merge};
use hemora_base::{ExitStatus, WorkShard};
use hemora_infer::{Pictures, SeriesPolicy};
use hemora_objects::Place;
use miette::{IntoDiagnostic, Result, bail, miette};

use crate::cli::{MergeArgs, TriageArgs};
use crate::default_model::load;
use crate::input::Input;
use crate::output::print;
use crate::progress;

/// Triage of a share of an index.
///
/// # Errors
/// A report that names the file; single unreadable files are in the share's tables instead.
pub fn share(arguments: &TriageArgs, index: &Path) -> Result<ExitStatus> {
    arguments.engine.threads.limit()?;
    let out = place(&arguments.out)?;
    let model = load(&arguments.engine)?;
    let index = Input::fetch(index)?;
    let shard = arguments.shard.shard.unwrap_or(WorkShard::WHOLE);
    let share = ShareTriage {
        model: &model,
        index: index.path().to_owned(),
        shard,
        out: out.clone(),
        policy: match arguments.all_series {
            true => SeriesPolicy::AllAxial,
            false => SeriesPolicy::Chosen,
        },
        pictures: Pictures { studies: arguments.pictured_studies, slices: arguments.key_slices },
    };
    let bar = progress::bar(format!("share {shard}"));
    let outcome = share.run(&progress::moves(&bar)).into_diagnostic();
    bar.finish_and_clear();
    let outcome = index.named(outcome)?;
    if outcome.was_done {
        eprintln!("share {shard} is already done in {out}; nothing is to do");
    }
    let ShareManifest { counts, .. } = outcome.manifest;
    match arguments.json {
        true => print(|output| {
            serde_json::to_writer_pretty(&mut *output, &outcome.manifest)?;
            writeln!(output)
        })?,
        false => print(|output| {
            writeln!(output, "share {shard} in {out}: {}", words(counts))?;
            writeln!(output, "`hemora merge {out} --out DIR` makes one result of all shares")?;
            writeln!(output, "{}", outcome.manifest.notice)
        })?,
    }
    Ok(status(counts))
}

/// Makes one result of the shares of triage.
///
/// # Errors
/// A report that names the share or file.
pub fn merged(arguments: &MergeArgs) -> Result<ExitStatus> {
    if arguments.problems.is_some() {
        bail!(
            help = "leave it out",
            "--problems is for shares of an index; of triage, skipped.parquet names every image"
        );
    }
    let folders = arguments.shares.iter().map(|it| place(it)).collect::<Result<Vec<_>>>()?;
    let out = place(&arguments.out)?;
    let bar = progress::bar("merging");
    let merged = merge(&folders, &out, &progress::moves(&bar)).into_diagnostic();
    bar.finish_and_clear();
    let merged = merged?;
    let MergedManifest { counts, shards, ref engines, .. } = merged;
    if engines.len() > 1 {
        let engines = engines.join(" and ");
        eprintln!("warning: shares were scored by {engines}, whose probabilities agree to 1e-5");
    }
    match arguments.json {
        true => print(|output| {
            serde_json::to_writer_pretty(&mut *output, &merged)?;
            writeln!(output)
        })?,
        false => print(|output| {
            writeln!(output, "{shards} shares: {}", words(counts))?;
            for table in ["worklist", "studies", "slices", "skipped", "report"] {
                if let Some(table) = merged.tables.get(table) {
                    writeln!(output, "  {}", out.full_name(&table.file))?;
                }
            }
            writeln!(output, "{}", merged.notice)
        })?,
    }
    Ok(status(counts))
}

fn place(path: &Path) -> Result<Place> {
    let text = path.to_str();
    let text = text.ok_or_else(|| miette!("{}: the path is not UTF-8 text", path.display()))?;
    Place::parse(text).into_diagnostic()
}

fn words(counts: Counts) -> String {
    let Counts { studies, slices, skipped, failed, .. } = counts;
    format!("{studies} studies, {slices} slices scored, {skipped} images skipped ({failed} failed)")
}

fn status(counts: Counts) -> ExitStatus {
    match counts.failed {
        0 => ExitStatus::Success,
        _ => ExitStatus::SomeInputsFailed,
    }
}
