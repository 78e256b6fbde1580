//! `hemora study`: the seed study from images to its results page.

use hemora_base::ExitStatus;
use hemora_experiment::engine::{EngineError, Programs, duration_text, progress_text};
use hemora_experiment::study::{
    SetRequest, Study, StudyError, StudyEvent, StudySet, markdown, phantoms,
};
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, Result, bail, miette};

use crate::cli::{StudyArgs, StudyPreset};
use crate::output::print;
use crate::progress;
use crate::train_program;

/// Runs the command.
///
/// # Errors
/// A report that names the file or the flag.
pub fn run(arguments: &StudyArgs) -> Result<ExitStatus> {
    arguments.steps.threads.limit()?;
    let options = arguments.options();
    options.check().into_diagnostic()?;
    let set = StudySet::open(&request(arguments)?).into_diagnostic()?;
    let (split, out) = (arguments.split.as_deref(), &arguments.out);
    let study = Study::plan(set, options, split, out, arguments.steps.restart).into_diagnostic()?;
    let programs = Programs {
        hemora: std::env::current_exe().into_diagnostic()?,
        train: train_program::path(),
        threads: arguments.steps.threads(),
    };
    eprintln!("{}", study.plan_text(programs.cores()).into_diagnostic()?);
    if arguments.steps.plan {
        return Ok(ExitStatus::Success);
    }
    train_program::check(&programs.train)?;
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let mut on_event = |event: StudyEvent<'_>| match event {
        StudyEvent::Begins { number, total, cell } => {
            bar.suspend(|| eprintln!("[{number}/{total}] {cell}"));
        }
        StudyEvent::Progress(event) => {
            progress_text(event).into_iter().for_each(|line| bar.set_message(line));
        }
        StudyEvent::Ended { cell, seconds_left } => {
            let left = seconds_left.filter(|seconds| *seconds > 0.0).map(duration_text);
            let left = left.map_or(String::new(), |left| format!("; about {left} left"));
            bar.suspend(|| eprintln!("    {}{left}", cell.outcome_text()));
        }
        StudyEvent::Settled(cell) => {
            bar.suspend(|| eprintln!("{}: {}", cell.name(), cell.outcome_text()));
        }
    };
    let document = match study.run(&programs, arguments.steps.restart, &mut on_event) {
        Ok(document) => document,
        Err(error) => return train_program::ended(error.exit_status(), explain(error)),
    };
    bar.finish_and_clear();
    print(|output| {
        write!(output, "{}", markdown(&document))?;
        writeln!(output, "\nreport: {}", out.join("report.html").display())
    })?;
    Ok(match document.failed() {
        0 => ExitStatus::Success,
        _ => ExitStatus::SomeInputsFailed,
    })
}

/// The images that were named, or phantoms.
fn request(arguments: &StudyArgs) -> Result<SetRequest> {
    if let Some(request) = arguments.request() {
        return Ok(request);
    }
    if arguments.preset == StudyPreset::Seed {
        bail!(
            help = "make one with `hemora index` and `hemora prepare --recipe howard`",
            "--preset seed needs --images, a prepared set"
        );
    }
    let wanted = arguments.wanted_phantoms();
    eprintln!("making {} phantoms of {} pixels", wanted.patients, wanted.size);
    let bar = progress::bar("phantoms");
    let moved = |what: &str, done: usize, total: usize| {
        bar.set_message(what.to_owned());
        progress::moves(&bar)(done, total);
    };
    let request = phantoms(&arguments.out.join("phantoms"), wanted, &moved).into_diagnostic()?;
    bar.finish_and_clear();
    Ok(request)
}

/// An error with what to do where the training program is missing.
fn explain(error: StudyError) -> miette::Report {
    match error {
        StudyError::Step(EngineError::Start { .. }) => {
            miette!(help = train_program::HELP, "{error}")
        }
        _ => miette!("{error}"),
    }
}
