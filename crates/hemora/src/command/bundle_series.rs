//! Networks of series for a bundle: the folds of runs of `hemora-train sequence`.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use hemora_ct::SeriesInput;
use hemora_ct::Views;
use hemora_data::SliceTable;
use hemora_evaluation::{CaseRequest, Cases, EvaluateOptions, Evaluation, evaluate};
use hemora_infer::SeriesModel;
use hemora_model::SeriesStage;
use hemora_nn::{Weights, networks, onnx};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

/// What runs bring.
#[derive(Debug, Default)]
pub struct SeriesRuns {
    /// The stages, as model.json has them.
    pub stages: Vec<SeriesStage>,
    /// Their networks, ONNX models, one after the other.
    pub networks: Vec<Vec<u8>>,
    /// What each run says out of fold.
    pub evaluations: Vec<Evaluation>,
    /// Whether a run does.
    evaluated: bool,
    /// The views that were averaged in what a run was trained on, by the run, where it says so.
    trained_on: Vec<(PathBuf, Views)>,
    /// What a reader should know of how they were put together.
    pub notes: Vec<String>,
}

/// One network with what its weights say of it.
#[derive(Debug, PartialEq)]
struct Settings {
    network: String,
    options: networks::SequenceOptions,
}

impl SeriesRuns {
    /// Reads the folds of `runs`, for a network of single slices and the fold, from 1, that it did not
    /// see: networks on features are taken of that fold alone, since of another network's features
    /// they know nothing. With `own_fold` so are networks on probabilities.
    ///
    /// # Errors
    /// A report that names the run or file and what does not fit.
    pub fn read(
        runs: &[PathBuf],
        of_slices: &[u8],
        fold: Option<&str>,
        own_fold: bool,
    ) -> Result<Self> {
        let mut all = Self::default();
        for run in runs {
            all.add(run, fold, own_fold).wrap_err_with(|| run.display().to_string())?;
        }
        SeriesModel::check(of_slices, &all.stages).into_diagnostic()?;
        let chained = |stages: &[SeriesStage]| match stages {
            [first, second] => first.reads.is_features() && !second.reads.is_features(),
            _ => false,
        };
        match runs {
            [first, second] if chained(&all.stages) => {
                all.notes.extend(other_first(first, second)?);
            }
            // Other stages are refused as the bundle is written.
            _ => {}
        }
        Ok(all)
    }

    /// Reads the folds of a run that reads what several models say as one.
    ///
    /// # Errors
    /// A report that names the run or file and what does not fit.
    pub fn of_ensemble(run: &Path) -> Result<Self> {
        let mut all = Self::default();
        let name = || run.display().to_string();
        let first = std::fs::read(run.join("fold-1/model.safetensors")).into_diagnostic();
        let metadata = first.and_then(|bytes| Weights::metadata(&bytes).into_diagnostic());
        let network = metadata.and_then(|metadata| Ok(Settings::of(&metadata)?.network));
        let network = network.wrap_err_with(|| format!("{}: fold 1", name()))?;
        if networks::sequence_input(&network).is_some_and(SeriesInput::is_features) {
            bail!(
                help = "train `--network sequence-probabilities` on the tables of `hemora ensemble fit`",
                "{}: `{network}` reads features, and an ensemble has none of its own",
                name()
            );
        }
        all.add(run, None, false).wrap_err_with(name)?;
        Ok(all)
    }

    /// Adds a run's networks, one a fold, or that of `of_slices` alone, and its evaluation.
    fn add(&mut self, run: &Path, of_slices: Option<&str>, own_fold: bool) -> Result<()> {
        let table = run.join("slices.parquet");
        if !table.is_file() {
            bail!(
                help = "give the folder of a run of `hemora-train sequence` that has ended",
                "it has no slices.parquet"
            );
        }
        let folds = SliceTable::read(&table).into_diagnostic()?.folds();
        let mut known: Option<Settings> = None;
        let (mut parameters, mut taken) = (0, 0);
        for fold in 1..=folds {
            let path = run.join(format!("fold-{fold}")).join("model.safetensors");
            let name = || path.display().to_string();
            let bytes = std::fs::read(&path).into_diagnostic().wrap_err_with(name)?;
            let mut metadata = Weights::metadata(&bytes).into_diagnostic().wrap_err_with(name)?;
            let settings = Settings::of(&metadata).wrap_err_with(name)?;
            if known.as_ref().is_some_and(|known| *known != settings) {
                bail!("{} is another network than that of fold 1", name());
            }
            let of_fold = metadata.remove("features_of_fold");
            if let Some(views) = metadata.remove("views") {
                let named = Views::named(&views);
                let views = named.ok_or_else(|| miette!("{}: views `{views}`", name()))?;
                self.trained_on.push((run.to_owned(), views));
            }
            let own = fold.to_string();
            let fits = match of_fold {
                None => !own_fold || of_slices == Some(&*own),
                of_fold => of_fold.as_deref() == of_slices,
            };
            if fits {
                let graph = networks::build_sequence(&settings.network, &settings.options)
                    .ok_or_else(|| miette!("unknown network `{}`", settings.network))?
                    .into_diagnostic()
                    .wrap_err_with(name)?;
                let weights = Weights::from_safetensors(&bytes).into_diagnostic();
                let weights = weights.wrap_err_with(name)?;
                let network = onnx::write(&graph, &weights).into_diagnostic();
                self.networks.push(network.wrap_err_with(name)?);
                parameters = graph.trainable_parameters() as u64;
                taken += 1;
            }
            known = Some(settings);
        }
        let Some(Settings { network, options }) = known else { bail!("it has no folds") };
        if taken == 0 {
            bail!(
                help = "give the model.safetensors of a fold of the run on slices whose features they \
                        were trained on",
                "each of its networks belongs to one fold's network of slices, and the weights are of \
                 {}",
                of_slices.map_or("no fold".to_owned(), |fold| format!("fold {fold}"))
            );
        }
        let reads = networks::sequence_input(&network)
            .ok_or_else(|| miette!("`{network}` is no network of series"))?;
        let validation = run.join("validation.csv");
        if validation.is_file() {
            self.evaluations.push(out_of_fold(&network, validation)?);
            self.evaluated = true;
        }
        self.stages.push(SeriesStage {
            network,
            reads,
            columns: options.columns,
            trainable_parameters: parameters,
            // Hashed as the bundle is written.
            sha256: vec![String::new(); taken],
        });
        Ok(())
    }

    /// The views of the bundle: those that the runs were trained on, else those asked for, else one.
    ///
    /// # Errors
    /// A report that names the run that was trained on others.
    pub fn views(&self, asked: Option<Views>) -> Result<Views> {
        let first = self.trained_on.first().map(|(_, views)| *views);
        let views = asked.or(first).unwrap_or_default();
        match self.trained_on.iter().find(|(_, trained_on)| *trained_on != views) {
            Some((run, trained_on)) => Err(miette!(
                help = "networks of series know only what they were trained on: give those views, or \
                        train them on what `hemora-train predict --views {views}` writes",
                "{} was trained on the views `{trained_on}`; the bundle would have `{views}`",
                run.display(),
                views = views.name(),
                trained_on = trained_on.name()
            )),
            None => Ok(views),
        }
    }

    /// The section of the card; empty without networks of series.
    pub fn card_section(&self) -> String {
        let mut card = String::new();
        if self.stages.is_empty() {
            return card;
        }
        card.push_str(
            "\n## Networks of series\n\nThey read what the network above says of all slices of a \
             series, in the order of their places, up and down; their probabilities, the mean over as \
             many networks as stand below, stand for those of single slices. A series of fewer than three \
             slices, or without positions, keeps those of single slices, and its result says \
             so.\n\n| network | reads | values of each slice | networks | parameters of each |\n\
             |---|---|---:|---:|---:|\n",
        );
        for stage in &self.stages {
            let reads = match stage.reads {
                SeriesInput::Features => "pooled features",
                SeriesInput::FeaturesAndPlaces => "pooled features, places in mm",
                SeriesInput::Probabilities => "probabilities, places in mm",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                card,
                "| {} | {reads} | {} | {} | {} |",
                stage.network,
                stage.columns,
                stage.sha256.len(),
                stage.trainable_parameters
            );
        }
        if self.evaluated {
            card.push_str(
                "\nFigures “out of fold” below are of these runs: each slice is predicted by the \
                 networks that did not see its patient, alone and not as a mean over folds.\n",
            );
        }
        for note in &self.notes {
            let _ = writeln!(card, "\n- {note}");
        }
        card
    }
}

impl Settings {
    /// What hemora-train wrote beside the weights. Dropout does not matter any more.
    fn of(metadata: &HashMap<String, String>) -> Result<Self> {
        let entry = |key: &str| {
            metadata.get(key).ok_or_else(|| {
                miette!(
                    help = "give a run of `hemora-train sequence`",
                    "no `{key}` in its metadata"
                )
            })
        };
        let number = |key: &str| -> Result<usize> {
            let text = entry(key)?;
            text.parse().into_diagnostic().wrap_err_with(|| format!("`{key}`: {text}"))
        };
        Ok(Self {
            network: entry("network")?.clone(),
            options: networks::SequenceOptions {
                columns: number("columns")?,
                hidden: number("hidden")?,
                layers: number("layers")?,
                dropout: 0.0,
            },
        })
    }
}

fn out_of_fold(network: &str, predictions: PathBuf) -> Result<Evaluation> {
    let cases = Cases::load(&CaseRequest { predictions, ..CaseRequest::default() });
    let options =
        EvaluateOptions { name: format!("{network}, out of fold"), ..EvaluateOptions::default() };
    evaluate(cases.into_diagnostic()?, &options).into_diagnostic()
}

/// A note if the second run was trained on what another run than the first said.
fn other_first(first: &Path, second: &Path) -> Result<Option<String>> {
    let path = second.join("config.toml");
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(&path).into_diagnostic().wrap_err_with(name)?;
    let settings: toml::Table = toml::from_str(&text).into_diagnostic().wrap_err_with(name)?;
    let Some(trained_on) = settings.get("first").and_then(toml::Value::as_str) else {
        bail!("{}: it was trained without a first run (--first)", second.display());
    };
    // Where the files were moved nothing can be told.
    let same = [Path::new(trained_on), &first.join("slices.parquet")].map(|it| it.canonicalize());
    Ok(match same {
        [Ok(one), Ok(other)] if one != other => Some(format!(
            "the second stage was trained on `{trained_on}`, and here reads what {} says",
            first.display()
        )),
        _ => None,
    })
}
