//! `hemora triage`: read, score, write the result, the table and the report.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use hemora_infer::{LoadedModel, SeriesPolicy, key_slices, triage};
use hemora_io::{Collection, ReadOptions, collect_with};
use hemora_model::TriageResult;
use hemora_report::write_csv;
use hemora_report::{KeySlice, write_html};
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use rayon::prelude::*;
use serde::Serialize;

use crate::cli::{EngineArgs, TriageArgs};
use crate::output::{make_folder, write_json, write_whole};
use crate::{default_model, progress};

/// Files failed, the rest was scored.
const SOME_FAILED: u8 = 3;
/// Nothing could be used.
const NOTHING_USABLE: u8 = 1;

/// Seconds of each phase.
#[derive(Debug, Default, Serialize)]
struct Timings {
    load_s: f64,
    collect_s: f64,
    score_s: f64,
    report_s: f64,
    total_s: f64,
}

/// Runs the command.
///
/// # Errors
/// A report that names the file; single unreadable files are in the result instead.
pub fn run(arguments: &TriageArgs) -> Result<ExitCode> {
    let start = Instant::now();
    let mut timings = Timings::default();
    limit_threads(arguments.engine.threads)?;
    make_folder(&arguments.out)?;
    let model = load(&arguments.engine)?;
    timings.load_s = start.elapsed().as_secs_f64();

    let bar = progress::bar("reading headers");
    let options = ReadOptions { window: arguments.window };
    let collection = collect_with(&arguments.paths, &options, &progress::moves(&bar));
    bar.finish_and_clear();
    timings.collect_s = start.elapsed().as_secs_f64() - timings.load_s;

    let bar = progress::bar("scoring slices");
    let policy = match arguments.all_series {
        true => SeriesPolicy::AllAxial,
        false => SeriesPolicy::Chosen,
    };
    let moves = progress::moves(&bar);
    let result = triage(&model, &collection, policy, &moves);
    bar.finish_and_clear();
    timings.score_s = start.elapsed().as_secs_f64() - timings.load_s - timings.collect_s;

    let before = start.elapsed().as_secs_f64();
    write_results(arguments, &model, &collection, &result)?;
    timings.report_s = start.elapsed().as_secs_f64() - before;
    timings.total_s = start.elapsed().as_secs_f64();
    if let Some(path) = &arguments.timings {
        write_json(path, &timings)?;
    }
    let mut output = std::io::stdout().lock();
    let printed = if arguments.json {
        serde_json::to_writer_pretty(&mut output, &result).map_err(std::io::Error::from)
    } else {
        print_worklist(&mut output, &result, &arguments.out.join("report.html"))
    };
    match printed.and_then(|()| writeln!(output)) {
        // `hemora triage … | head` is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(error).into_diagnostic();
        }
        _ => {}
    }
    Ok(exit_code(&result))
}

/// Limits the threads of everything that follows; 0 leaves one per core.
///
/// # Errors
/// A report if threads are running already.
pub fn limit_threads(threads: usize) -> Result<()> {
    if threads == 0 {
        return Ok(());
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .into_diagnostic()
        .wrap_err("cannot start threads")
}

/// Opens the model and loads its engines.
///
/// # Errors
/// A report that names the model or the engine's library.
fn load(arguments: &EngineArgs) -> Result<LoadedModel> {
    let model = default_model::open(arguments.model.as_deref())?;
    let loaded = LoadedModel::load(arguments.engine, model, None).into_diagnostic()?;
    eprintln!("engine: {}", loaded.note());
    let bundle = loaded.model();
    if let [member] = bundle.info().members.as_slice() {
        for stage in &member.series {
            eprintln!("networks of series: {} × {}", stage.sha256.len(), stage.network);
        }
    } else {
        for (name, members) in bundle.info().models() {
            eprintln!("ensemble: {} × {name}", members.len());
        }
    }
    Ok(loaded)
}

fn exit_code(result: &TriageResult) -> ExitCode {
    if result.studies.is_empty() {
        if let Some(first) = result.skipped.first() {
            eprintln!("{}: {}", printable(&first.source), printable(&first.reason));
        }
        eprintln!("no slice could be scored; the reasons are in result.json");
        ExitCode::from(NOTHING_USABLE)
    } else if result.skipped.iter().any(|file| file.failed) {
        ExitCode::from(SOME_FAILED)
    } else {
        ExitCode::SUCCESS
    }
}

fn write_results(
    arguments: &TriageArgs,
    model: &LoadedModel,
    collection: &Collection,
    result: &TriageResult,
) -> Result<()> {
    let out = &arguments.out;
    write_json(&out.join("result.json"), result)?;
    write_whole(&out.join("result.csv"), |file| write_csv(result, file).into_diagnostic())?;
    let bar = progress::bar("drawing slices");
    let pictured = &result.studies[..result.studies.len().min(arguments.pictured_studies)];
    bar.set_length(pictured.len() as u64);
    let mut drawn: Vec<KeySlice> = Vec::new();
    for study in pictured {
        let slices = key_slices(model, collection, study, arguments.key_slices.max(1));
        let pictures: Result<Vec<KeySlice>, _> = slices
            .par_iter()
            .map(|key| {
                let maps: Vec<_> = [&key.any_map, &key.subtype_map]
                    .into_iter()
                    .flatten()
                    .map(|map| (map.label, map.plane.clone()))
                    .collect();
                let (series, sop) = (&key.series_instance_uid, &key.sop_instance_uid);
                KeySlice::draw(&study.study_instance_uid, series, sop, &key.slice, &maps)
            })
            .collect();
        drawn.extend(pictures.into_diagnostic()?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    write_whole(&out.join("report.html"), |mut file| {
        write_html(&mut file, result, &drawn).into_diagnostic()
    })
}

/// The ranked worklist as text.
fn print_worklist(
    output: &mut impl Write,
    result: &TriageResult,
    report: &Path,
) -> std::io::Result<()> {
    if !result.studies.is_empty() {
        writeln!(output, "rank    any  leading subtype          slices  study")?;
    }
    for (rank, study) in result.studies.iter().enumerate() {
        let slices: usize = study.series.iter().map(|series| series.slices.len()).sum();
        let (leading, probability) = hemora_ct::Label::SUBTYPES
            .into_iter()
            .map(|label| (label, study.probabilities.get(label)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .expect("there are five subtypes");
        writeln!(
            output,
            "{:>4}  {:.3}  {leading:<16} {probability:.3}  {slices:>7}  {}",
            rank + 1,
            study.probabilities.any,
            printable(&study.study_instance_uid)
        )?;
    }
    let failed = result.skipped.iter().filter(|file| file.failed).count();
    let other = result.skipped.len() - failed;
    for file in result.skipped.iter().filter(|file| file.failed).take(10) {
        writeln!(output, "failed: {}: {}", printable(&file.source), printable(&file.reason))?;
    }
    if failed > 10 {
        writeln!(output, "failed: {} more files, named in result.json", failed - 10)?;
    }
    if other > 0 {
        writeln!(
            output,
            "left out: {other} files that are no CT image or of a series that was not chosen, named in \
             result.json"
        )?;
    }
    writeln!(output, "report: {}", report.display())?;
    write!(output, "{}", result.notice)
}

/// Text from a file without control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}

/// Refuses to mix an earlier run's files with this one's.
///
/// # Errors
/// A report if `path` holds anything.
pub fn refuse_filled(path: &Path) -> Result<()> {
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!(
            help = "remove it, or give another folder with --out",
            "{} is not empty",
            path.display()
        );
    }
    Ok(())
}
