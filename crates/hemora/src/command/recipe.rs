//! `hemora recipe`: a data set to a bundle and a submission, step by step.

use hemora_base::ExitStatus;
use hemora_experiment::engine::{Ended, EngineError, Programs, StepEvent, duration_text};
use hemora_experiment::recipe::{Recipe, RecipeError};
use miette::{IntoDiagnostic, Result, miette};

use crate::cli::RecipeArgs;
use crate::output::print;
use crate::train_program;

/// Runs the command.
///
/// # Errors
/// A report that names the step, the file or the flag.
pub fn run(arguments: &RecipeArgs) -> Result<ExitStatus> {
    let dataset = arguments.dataset().into_diagnostic()?;
    let options = arguments.options().into_diagnostic()?;
    let recipe = Recipe::plan(options, dataset, &arguments.out).into_diagnostic()?;
    if arguments.steps.restart && !arguments.steps.plan {
        recipe.restart().into_diagnostic()?;
    }
    let hemora = std::env::current_exe().into_diagnostic()?;
    let programs =
        Programs { hemora, train: train_program::path(), threads: arguments.steps.threads() };
    eprintln!("{}", recipe.plan_text().map_err(explain)?);
    if recipe.trains().map_err(explain)? {
        // A plan can be had without the training program; nothing else can.
        if !arguments.steps.plan {
            train_program::check(&programs.train)?;
        }
        eprintln!("{}", recipe.cost(&programs).map_err(explain)?);
    }
    if arguments.steps.plan {
        return Ok(ExitStatus::Success);
    }
    let mut on_event = |event: &StepEvent<'_>| match event {
        StepEvent::Begins { number, total, step } => eprintln!("[{number}/{total}] {}", step.title),
        StepEvent::Complete { number, total, step, .. } => {
            eprintln!("[{number}/{total}] {}: complete, not run again", step.title);
        }
        StepEvent::Ended(Ended { step, outcome: Ok(record), .. }) => {
            eprintln!("    {} took {}", step.name, duration_text(record.seconds));
        }
        // Its program writes for people by itself.
        StepEvent::Progress { .. } | StepEvent::Ended(_) => {}
    };
    if let Err(error) = recipe.run(&programs, &mut on_event) {
        return train_program::ended(error.exit_status(), explain(error));
    }
    let bytes = std::fs::metadata(recipe.bundle()).into_diagnostic()?.len();
    print(|output| {
        let megabytes = bytes as f64 / 1e6;
        writeln!(output, "bundle: {}, {megabytes:.1} MB", recipe.bundle().display())?;
        writeln!(output, "training images, out of fold: {}", recipe.out_of_fold().display())?;
        if let Some(submission) = recipe.submission() {
            writeln!(output, "submission: {}", submission.display())?;
        }
        writeln!(output, "evaluation: {}", recipe.evaluation().display())
    })?;
    Ok(ExitStatus::Success)
}

/// An error with what to do where the training program is missing.
fn explain(error: RecipeError) -> miette::Report {
    match error {
        RecipeError::Step(EngineError::Start { .. }) => {
            miette!(help = train_program::HELP, "{error}")
        }
        _ => miette!("{error}"),
    }
}
