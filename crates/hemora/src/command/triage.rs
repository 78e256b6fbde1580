//! `hemora triage`: one library call, its files, and the worklist.

use std::path::Path;
use std::time::Instant;

use hemora_base::{ExitStatus, printable};
use hemora_infer::{MapSink, Pictures, SeriesMaps, SeriesPolicy, Triage, TriageInput};
use hemora_io::ReadOptions;
use hemora_model::{TriageOutput, TriageResult};
use hemora_report::{worklist_text, write_all};
use miette::{IntoDiagnostic, Result};
use serde_json::json;

use crate::cli::TriageArgs;
use crate::command::archive;
use crate::command::maps::MapFiles;
use crate::default_model::load;
use crate::output::{make_folder, print, write_json};
use crate::progress;

/// Runs the command.
///
/// # Errors
/// A report that names the file; single unreadable files are in the result instead.
pub fn run(arguments: &TriageArgs) -> Result<ExitStatus> {
    if let Some(index) = &arguments.index {
        return archive::share(arguments, index);
    }
    if let Some(shard) = arguments.shard.shard {
        eprintln!(
            "error: --shard {shard} is a share of an index: give it with --index PARQUET instead of paths; \
             `hemora index` makes one"
        );
        return Ok(ExitStatus::Usage);
    }
    let start = Instant::now();
    arguments.engine.threads.limit()?;
    make_folder(&arguments.out)?;
    let model = load(&arguments.engine)?;
    let load_s = start.elapsed().as_secs_f64();
    let files = arguments.maps.as_deref().map(MapFiles::new).transpose()?;
    let write_maps = |maps: SeriesMaps| {
        if let Some(files) = &files {
            files.write(maps);
        }
    };
    let triage = Triage {
        reading: ReadOptions { window: arguments.window },
        policy: match arguments.all_series {
            true => SeriesPolicy::AllAxial,
            false => SeriesPolicy::Chosen,
        },
        pictures: Pictures { studies: arguments.pictured_studies, slices: arguments.key_slices },
        maps: files.is_some().then_some(MapSink::Volumes(&write_maps)),
        ..Triage::new(&model)
    };
    let output = run_with_bars(&triage, TriageInput::Paths(arguments.paths.clone()))?;
    if let Some(files) = files {
        files.finish()?;
    }
    let before = Instant::now();
    write_all(&output, &arguments.out).into_diagnostic()?;
    if let Some(path) = &arguments.timings {
        let seconds = output.timings;
        let timings = json!({
            "load_s": load_s,
            "collect_s": seconds.headers_s,
            "score_s": seconds.scoring_s,
            // Of all cores together.
            "score_work_s": {
                "decode": seconds.work.decoding_s,
                "inputs": seconds.work.inputs_s,
                "networks": seconds.work.networks_s,
            },
            "report_s": seconds.key_slices_s + before.elapsed().as_secs_f64(),
            "total_s": start.elapsed().as_secs_f64(),
        });
        write_json(path, &timings)?;
    }
    match arguments.json {
        true => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &output.result)?;
            writeln!(out)
        })?,
        false => print_worklist(&output.result, &arguments.out)?,
    }
    Ok(exit_status(&output.result))
}

/// Triage with a progress bar for each step.
///
/// # Errors
/// None in practice: nothing cancels it.
pub fn run_with_bars(triage: &Triage<'_>, input: TriageInput<'_>) -> Result<TriageOutput> {
    let bars = progress::Steps::default();
    let output = triage.run(input, &|progress| bars.show(progress)).into_diagnostic();
    bars.clear();
    output
}

/// Prints the ranked worklist and where the report is.
///
/// # Errors
/// A report if standard output cannot be written.
pub fn print_worklist(result: &TriageResult, folder: &Path) -> Result<()> {
    print(|out| {
        out.write_all(worklist_text(result).as_bytes())?;
        writeln!(out, "report: {}", folder.join("report.html").display())?;
        writeln!(out, "{}", result.notice)
    })
}

/// How triage ended; prints to standard error why nothing could be used.
pub fn exit_status(result: &TriageResult) -> ExitStatus {
    if result.studies.is_empty() {
        if let Some(first) = result.skipped.first() {
            eprintln!("{}: {}", printable(&first.source), printable(&first.reason));
        }
        eprintln!("no slice could be scored; the reasons are in result.json");
        ExitStatus::Failed
    } else if result.skipped.iter().any(|file| file.failed) {
        ExitStatus::SomeInputsFailed
    } else {
        ExitStatus::Success
    }
}
