//! `hemora recipe`: a data set to a bundle and a submission, step by step.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use hemora_experiment::recipe::{
    Cost, Dataset, Event, Kind, Preset, Programs, Recipe, RecipeError, RecipeOptions,
};
use miette::{IntoDiagnostic, Result, miette};

use super::study::time;
use super::train;
use crate::output::print;

/// Flags of `hemora recipe`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct RecipeArgs {
    /// winner (the competition's winner, step by step) or fast (one small network)
    #[arg(value_enum, value_name = "RECIPE")]
    pub recipe: RecipeName,

    /// Folder with stage_2_train/ and stage_2_train.csv, and stage_2_test/ if there is one; or with
    /// DICOM files and --labels
    #[arg(value_name = "DATASET")]
    pub dataset: PathBuf,

    /// Folder for everything that is made. A recipe that was stopped goes on there
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// How large everything is
    #[arg(long, value_enum, default_value = "full")]
    pub preset: PresetName,

    /// Label table of the competition (ID,Label), where it does not lie beside the images
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,

    /// Images without labels that a submission is made of [default: stage_2_test of the data set; of
    /// the training images there is always a table, out of fold]
    #[arg(long, value_name = "DIR")]
    pub test: Option<PathBuf>,

    /// Folds, whole patients each [default: 2 with quick, 5 with full]
    #[arg(long, value_name = "N")]
    pub folds: Option<usize>,

    /// Passes over the training images [default: of the recipe]
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,

    /// Images a step [default: of the recipe]
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,

    /// Height and width of the input, pixels [default: of the recipe]
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<usize>,

    /// Weights that a network starts from, as densenet121=FILE (safetensors; `hemora model import`
    /// makes them of ImageNet weights); may be repeated. Without them they are drawn
    #[arg(long, value_name = "NETWORK=FILE", value_parser = weights)]
    pub weights: Vec<(String, PathBuf)>,

    /// Bundle the first fold of the first network alone, not all folds of all networks: less space, and
    /// less time in triage, by as many times
    #[arg(long)]
    pub one_fold: bool,

    /// Seed of folds, weights and augmentation
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,

    /// Print the steps and what they cost, and stop
    #[arg(long)]
    pub plan: bool,

    /// Forget the steps that an earlier run completed
    #[arg(long)]
    pub restart: bool,

    /// More flags for `hemora train run`, after --
    #[arg(last = true, value_name = "FLAGS")]
    pub flags: Vec<String>,
}

/// The recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecipeName {
    /// The competition's winner
    Winner,
    /// One small network on three slices in three windows
    Fast,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetName {
    /// Minutes on two cores: shows that every step works, not how good the recipe is
    Quick,
    /// As it is meant, for a GPU
    Full,
}

const HELP: &str = "Examples:
  hemora synth phantoms --patients 24 --size 128
  hemora recipe winner phantoms --out tried --preset quick
  hemora recipe winner rsna --out winner --plan       what it would do and cost
  hemora recipe fast rsna --out fast --weights efficientnet-lite0=lite0.safetensors \\
      -- --precision bf16

Steps that are complete are not run again: the same command goes on where it was stopped.
hemora-train is found beside hemora, in PATH, or by HEMORA_TRAIN.

Exit codes: 0 everything was made, 1 an error, 2 wrong flags.

For research use only: not for diagnosis.";

/// Runs the command.
///
/// # Errors
/// A report that names the step, the file or the flag.
pub fn run(arguments: &RecipeArgs) -> Result<ExitCode> {
    let (labels, test) = (arguments.labels.as_deref(), arguments.test.as_deref());
    let dataset = Dataset::find(&arguments.dataset, labels, test).into_diagnostic()?;
    let recipe = Recipe::plan(options(arguments)?, dataset, &arguments.out).into_diagnostic()?;
    if arguments.restart && !arguments.plan {
        recipe.restart().into_diagnostic()?;
    }
    let hemora = std::env::current_exe().into_diagnostic()?;
    let programs = Programs { hemora, train: train::program(), threads: arguments.threads };
    let complete = recipe.complete().map_err(explained)?;
    announce(&recipe, complete);
    if recipe.trains().map_err(explained)? {
        // A plan can be had without the training program; nothing else can.
        if !arguments.plan {
            train::check(&programs.train)?;
        }
        announce_cost(&recipe.cost(&programs).map_err(explained)?);
    }
    if arguments.plan {
        return Ok(ExitCode::SUCCESS);
    }
    let mut told = |event: Event<'_>| match event {
        Event::Begins(number, all, step) => eprintln!("[{number}/{all}] {}", step.what),
        Event::Complete(number, all, step) => {
            eprintln!("[{number}/{all}] {}: complete, not run again", step.what);
        }
        Event::Ended(step, seconds) => eprintln!("    {} took {}", step.name, time(seconds)),
    };
    recipe.run(&programs, &mut told).map_err(explained)?;
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
    Ok(ExitCode::SUCCESS)
}

/// The preset with what the flags say otherwise.
///
/// # Errors
/// A report that names a network of `--weights` that the recipe does not have.
fn options(arguments: &RecipeArgs) -> Result<RecipeOptions> {
    let kind = match arguments.recipe {
        RecipeName::Winner => Kind::Winner,
        RecipeName::Fast => Kind::Fast,
    };
    let preset = match arguments.preset {
        PresetName::Quick => Preset::Quick,
        PresetName::Full => Preset::Full,
    };
    let mut options = RecipeOptions::new(kind, preset);
    options.folds = arguments.folds.unwrap_or(options.folds);
    options.epochs = arguments.epochs.unwrap_or(options.epochs);
    options.batch = arguments.batch.unwrap_or(options.batch);
    options.size = arguments.size.unwrap_or(options.size);
    options.seed = arguments.seed;
    options.one_fold = arguments.one_fold;
    for stage1 in &mut options.stage1 {
        stage1.flags.extend(arguments.flags.iter().cloned());
    }
    for (network, file) in &arguments.weights {
        options.start_from(network, file).into_diagnostic()?;
    }
    Ok(options)
}

/// `densenet121=FILE`.
fn weights(text: &str) -> Result<(String, PathBuf), String> {
    let parts =
        text.split_once('=').filter(|(network, file)| !network.is_empty() && !file.is_empty());
    let (network, file) = parts.ok_or_else(|| format!("`{text}` is not NETWORK=FILE"))?;
    Ok((network.to_owned(), file.into()))
}

fn explained(error: RecipeError) -> miette::Report {
    match error {
        error @ RecipeError::Start { .. } => miette!(help = train::HELP, "{error}"),
        error => miette!("{error}"),
    }
}

/// Says what will be run.
fn announce(recipe: &Recipe, complete: usize) {
    eprintln!("{} steps, {complete} of them complete:", recipe.steps().len());
    for (place, step) in recipe.steps().iter().enumerate() {
        eprintln!("  {}. {}", place + 1, step.what);
    }
}

/// Says what everything costs, complete steps too.
fn announce_cost(cost: &Cost) {
    let gigabytes = |bytes: f64| format!("{:.2} GB", bytes / 1e9);
    eprintln!(
        "in all: {} slices, {} training steps, {:.0} images trained on and {:.0} predicted; about {} on \
         disk, {} of images in memory",
        cost.slices,
        cost.steps,
        cost.trained,
        cost.predicted,
        gigabytes(cost.disk),
        gigabytes(cost.memory)
    );
    match (cost.network_seconds, cost.series_seconds, cost.seconds(), &cost.device) {
        (Some(slices), Some(series), Some(seconds), Some(device)) => eprintln!(
            "by a short timing here ({device}): {} to read the images, {} in networks of slices, at most \
             {} in networks of series, {} in all",
            time(cost.data_seconds),
            time(slices),
            time(series),
            time(seconds)
        ),
        _ => eprintln!("hemora-train could not be timed here: how long it takes is not known"),
    }
}
