//! `hemora study`: the seed study from images to its results page.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use hemora_ct::Label;
use hemora_experiment::study::{
    CellResult, Cost, Event, Outcome, Phantoms, RunOptions, SetRequest, SplitKind, Study,
    StudyOptions, StudySet, markdown, phantoms,
};
use indicatif::{ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, Result, bail, miette};

use super::train;
use super::triage::limit_threads;
use crate::output::print;
use crate::progress;

/// Some cells failed, the rest was run.
const SOME_FAILED: u8 = 3;

/// Flags of `hemora study`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct StudyArgs {
    /// Where the settings start: quick (minutes on two cores) or seed (as the study was)
    #[arg(long, value_enum, default_value = "quick")]
    pub preset: PresetName,

    /// A prepared set, or a folder of windowed PNG or prepared JPEG; phantoms are made without it
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,

    /// Label table of the competition (ID,Label); a prepared set has its own
    #[arg(long, value_name = "CSV", requires = "images")]
    pub labels: Option<PathBuf>,

    /// Tables of patients or series: CSV:ID_COLUMN:GROUP_COLUMN, or CSV alone for one row a series;
    /// may be repeated
    #[arg(long, value_name = "CSV", requires = "images")]
    pub groups: Vec<String>,

    /// Positions along the body axis, for a baseline: an index (.parquet) or CSV:ID_COLUMN:Z_COLUMN
    #[arg(long, value_name = "FILE", requires = "images")]
    pub z: Option<String>,

    /// Take the parts from this table (columns ID and split), such as splits.csv of a prepared set
    #[arg(long, value_name = "CSV")]
    pub split: Option<PathBuf>,

    /// Folder for study.json, study.md, report.html, the splits and the cells. A study that was
    /// stopped goes on there
    #[arg(long, short, default_value = "hemora-study", value_name = "DIR")]
    pub out: PathBuf,

    /// Phantom patients that are made without --images
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub phantoms: usize,

    /// Networks, separated by commas [default: simple-nn,deep-cnn,resnet50]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub networks: Vec<String>,

    /// Subsets: fewest hemorrhage types of a positive slice [default: 1,2,3]
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    pub subsets: Vec<usize>,

    /// Leave out the five subtypes as a multi-label problem
    #[arg(long)]
    pub no_subtypes: bool,

    /// How images are split; by image a patient stands in several parts and figures are too good
    /// [default: patient,image]
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    pub splits: Vec<SplitKind>,

    /// Repeat everything so often, each with another sample, split and other first weights
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub repeats: u64,

    /// Seed of the first repeat, and of the phantoms
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Most positive slices of a cell [default: 200 with quick, all with seed]
    #[arg(long, value_name = "N")]
    pub positives: Option<usize>,

    /// Most slices without hemorrhage of a cell [default: 200 with quick, 20000 with seed]
    #[arg(long, value_name = "N")]
    pub negatives: Option<usize>,

    /// Height and width of the input, pixels [default: 64 with quick, 256 with seed]
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<usize>,

    /// Images a step
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,

    /// Epochs, of all networks (10) or of one (resnet50=10); may be repeated
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub epochs: Vec<(Option<String>, u64)>,

    /// Optimizer, as `hemora train run --help` lists them [default: adadelta-keras]
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<String>,

    /// Learning rate [default: 1.0, or with another optimizer its own]
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,

    /// Threads; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,

    /// Print what would be run and what it costs, and stop
    #[arg(long)]
    pub plan: bool,

    /// Forget the cells that an earlier run finished
    #[arg(long)]
    pub restart: bool,

    /// More flags for `hemora train run`, after --
    #[arg(last = true, value_name = "FLAGS")]
    pub flags: Vec<String>,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetName {
    /// Minutes on two cores: 64 pixels, some hundred slices a cell
    Quick,
    /// As the study was: 20,000 slices without hemorrhage, 256 pixels
    Seed,
}

const HELP: &str = "Examples:
  hemora study                                   phantoms, every cell, a page in minutes
  hemora study --plan                            what it would run and cost
  hemora study --images png --labels png_labels.csv --groups slices.csv:Image:PatientID \\
      --out sample
  hemora index stage_2_train/ --labels stage_2_train.csv -o set.parquet
  hemora prepare set.parquet -o howard --recipe howard
  hemora study --preset seed --images howard --z set.parquet --repeats 3 --out seed

Each cell is a run of hemora-train, which is found beside hemora, in PATH, or by HEMORA_TRAIN. A
study that was stopped goes on with the same command: cells that are finished are not run again.

Exit codes: 0 every cell was run or has too few images, 1 an error, 2 wrong flags, 3 some cells
failed (they are named in the results).

For research use only: not for diagnosis.";

/// Runs the command.
///
/// # Errors
/// A report that names the file or the flag.
pub fn run(arguments: &StudyArgs) -> Result<ExitCode> {
    limit_threads(arguments.threads)?;
    let options = options(arguments);
    options.check().into_diagnostic()?;
    let set = StudySet::open(&request(arguments)?).into_diagnostic()?;
    let (split, out) = (arguments.split.as_deref(), &arguments.out);
    let study = Study::plan(set, options, split, out, arguments.restart).into_diagnostic()?;
    announce(&study, arguments.threads)?;
    if arguments.plan {
        return Ok(ExitCode::SUCCESS);
    }
    let program = train::program();
    train::check(&program)?;
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let run = RunOptions { program, threads: arguments.threads, restart: arguments.restart };
    let mut told = |event: Event<'_>| match event {
        Event::Begins(number, all, cell) => {
            bar.suspend(|| eprintln!("[{number}/{all}] {cell}"));
        }
        Event::Epoch(line) => bar.set_message(line.to_owned()),
        Event::Ended(cell, left) => {
            let left = left.filter(|seconds| *seconds > 0.0);
            let left = left.map_or(String::new(), |left| format!("; about {} left", time(left)));
            bar.suspend(|| eprintln!("    {}{left}", in_short(cell)));
        }
        Event::Taken(cell) => {
            bar.suspend(|| eprintln!("{}: {}", cell.name(), in_short(cell)));
        }
    };
    let document = study.run(&run, &mut told).map_err(|error| match error {
        error @ hemora_experiment::study::StudyError::Start { .. } => {
            miette!(help = train::HELP, "{error}")
        }
        error => miette!("{error}"),
    })?;
    bar.finish_and_clear();
    print(|output| {
        write!(output, "{}", markdown(&document))?;
        writeln!(output, "\nreport: {}", arguments.out.join("report.html").display())
    })?;
    Ok(ExitCode::from(if document.failed() == 0 { 0 } else { SOME_FAILED }))
}

/// The preset with what the flags say otherwise.
fn options(arguments: &StudyArgs) -> StudyOptions {
    let mut options = match arguments.preset {
        PresetName::Quick => StudyOptions::quick(),
        PresetName::Seed => StudyOptions::seed(),
    };
    if !arguments.networks.is_empty() {
        options.networks = arguments.networks.clone();
    }
    if !arguments.subsets.is_empty() {
        options.subsets = arguments.subsets.clone();
    }
    if !arguments.splits.is_empty() {
        options.splits = arguments.splits.clone();
    }
    options.subtypes = !arguments.no_subtypes;
    options.repeats = arguments.repeats;
    options.seed = arguments.seed;
    options.positives = arguments.positives.or(options.positives);
    options.negatives = arguments.negatives.unwrap_or(options.negatives);
    let training = &mut options.training;
    training.size = arguments.size.unwrap_or(training.size);
    training.batch = arguments.batch.unwrap_or(training.batch);
    if let Some(optimizer) = &arguments.optimizer {
        training.optimizer = optimizer.clone();
        training.learning_rate = None;
    }
    training.learning_rate = arguments.learning_rate.or(training.learning_rate);
    training.flags = arguments.flags.clone();
    for (network, epochs) in &arguments.epochs {
        match network {
            Some(network) => {
                training.epochs.insert(network.clone(), *epochs);
            }
            None => {
                let all = training.epochs.keys().cloned().chain(options.networks.iter().cloned());
                training.epochs = all.map(|name| (name, *epochs)).collect();
            }
        }
    }
    options
}

/// `10`, or `resnet50=10`.
fn epochs(text: &str) -> Result<(Option<String>, u64), String> {
    let (network, number) = match text.split_once('=') {
        Some((network, number)) => (Some(network.to_owned()), number),
        None => (None, text),
    };
    match number.parse() {
        Ok(epochs) if epochs > 0 => Ok((network, epochs)),
        _ => Err(format!("`{text}`: expected a number above 0, or one such as resnet50=10")),
    }
}

fn request(arguments: &StudyArgs) -> Result<SetRequest> {
    if let Some(images) = &arguments.images {
        return Ok(SetRequest {
            images: images.clone(),
            labels: arguments.labels.clone(),
            groups: arguments.groups.clone(),
            z: arguments.z.clone(),
            name: None,
        });
    }
    if arguments.preset == PresetName::Seed {
        bail!(
            help = "make one with `hemora index` and `hemora prepare --recipe howard`",
            "--preset seed needs --images, a prepared set"
        );
    }
    // Twice the input, so that resizing has something to average.
    let size = 2 * arguments.size.unwrap_or(StudyOptions::quick().training.size);
    let wanted = Phantoms { patients: arguments.phantoms, seed: arguments.seed, size };
    eprintln!("making {} phantoms of {size} pixels", arguments.phantoms);
    let bar = progress::bar("phantoms");
    let told = |what: &str, done: usize, total: usize| {
        bar.set_message(what.to_owned());
        progress::moves(&bar)(done, total);
    };
    let request = phantoms(&arguments.out.join("phantoms"), wanted, &told).into_diagnostic()?;
    bar.finish_and_clear();
    Ok(request)
}

/// Says what will be run and what it costs.
fn announce(study: &Study, threads: usize) -> Result<()> {
    let set = study.set().summary();
    eprintln!("{}: {} images", set.name, set.images);
    let types: Vec<String> =
        set.by_types.iter().enumerate().map(|(types, count)| format!("{types}: {count}")).collect();
    eprintln!("  images by number of hemorrhage types: {}", types.join(", "));
    eprintln!(
        "  {} known patients or series; of {} images neither is known; positions of {}",
        set.known_groups, set.unknown_patients, set.with_z
    );
    for draw in study.draws() {
        let parts: Vec<String> = draw
            .parts
            .iter()
            .map(|part| format!("{} {} ({} positive)", part.part, part.images, part.any()))
            .collect();
        let mut line = format!("  {}: {}", draw.draw.name(), parts.join(", "));
        if draw.shared_patients > 0 {
            line += &format!("; {} patients in several parts", draw.shared_patients);
        }
        if let Some(reason) = &draw.impossible {
            line += &format!("; cannot be run: {reason}");
        }
        eprintln!("{line}");
    }
    let cores = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let cost: Cost = study.cost().into_diagnostic()?;
    eprintln!(
        "{} cells, {:.1} million million multiply-additions: about {} on {cores} cores if no GPU is \
         found and no cell is finished",
        cost.cells,
        cost.multiply_adds / 1e12,
        time(cost.seconds(cores))
    );
    Ok(())
}

/// What came of a cell, in one line.
fn in_short(cell: &CellResult) -> String {
    match &cell.outcome {
        Outcome::Impossible(reason) => format!("cannot be run: {reason}"),
        Outcome::Failed(reason) => format!("FAILED: {reason}"),
        Outcome::Measured(measured) => {
            let shown = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
            let figures: Vec<String> = measured
                .figures
                .iter()
                .map(|one| match one.label {
                    Label::Any => format!(
                        "accuracy {}, MSE {}, AUC {}",
                        shown(one.accuracy.value),
                        shown(one.mse.value),
                        shown(one.auc.value)
                    ),
                    label => format!("{label} {}", shown(one.auc.value)),
                })
                .collect();
            format!("{} in {}", figures.join(", "), time(measured.seconds))
        }
    }
}

pub(super) fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 100.0 => format!("{seconds:.0} s"),
        seconds if seconds < 6000.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_of_all_networks_or_of_one() {
        assert_eq!(epochs("12").unwrap(), (None, 12));
        assert_eq!(epochs("resnet50=3").unwrap(), (Some("resnet50".to_owned()), 3));
        assert!(epochs("0").is_err() && epochs("resnet50=").is_err());
    }

    #[test]
    fn times_are_short() {
        assert_eq!([time(42.0), time(300.0), time(9000.0)], ["42 s", "5 min", "2.5 h"]);
    }
}
