//! Networks of series for a bundle: the folds of runs of `hemora-train sequence`.

use std::path::{Path, PathBuf};

use hemora_ct::{SeriesInput, Views};
use hemora_data::SliceTable;
use hemora_evaluation::{CaseRequest, Cases, EvaluateOptions, Evaluation, evaluate};
use hemora_model::{SeriesNetwork, SeriesStage, check_features};
use hemora_nn::{networks, onnx};

use crate::BundlingError;
use crate::error::read;
use crate::trained::TrainedSeries;

/// What runs bring.
#[derive(Debug, Default)]
pub(crate) struct SeriesRuns {
    /// The stages, as model.json has them.
    pub stages: Vec<SeriesStage>,
    /// Their networks, ONNX models, one after the other.
    pub networks: Vec<Vec<u8>>,
    /// What each run predicts out of fold, measured.
    pub evaluations: Vec<Evaluation>,
    /// What a reader should know of how they were combined.
    pub notes: Vec<String>,
    /// Whether a run was evaluated.
    evaluated: bool,
    /// The views that were averaged in what a run was trained on, by the run, where it is known.
    trained_on: Vec<(PathBuf, Views)>,
}

/// Which networks of a run belong into a bundle.
#[derive(Clone, Copy)]
struct Wanted {
    /// The fold, from 1, that the network of slices did not see.
    fold: Option<u32>,
    /// Whether networks on probabilities are those of that fold alone.
    own_fold: bool,
}

impl SeriesRuns {
    /// Reads the folds of `runs`, for a network of slices and the fold, from 1, that it did not see: of
    /// networks on features that of this fold alone, since another network's features mean nothing to
    /// the others. With `own_fold` so are networks on probabilities.
    pub fn read(
        runs: &[PathBuf],
        slices: &[u8],
        fold: Option<u32>,
        own_fold: bool,
    ) -> Result<Self, BundlingError> {
        let mut all = Self::default();
        for run in runs {
            all.add(run, Wanted { fold, own_fold })?;
        }
        check_features(slices, &all.stages)?;
        // Other stages are refused as the bundle is written.
        if let ([first, second], [before, after]) = (runs, all.stages.as_slice())
            && before.reads.is_features()
            && !after.reads.is_features()
        {
            all.notes.extend(other_first(first, second)?);
        }
        Ok(all)
    }

    /// Reads the folds of a run that reads what several models predict as one.
    pub fn read_for_ensemble(run: &Path) -> Result<Self, BundlingError> {
        let TrainedSeries { network, .. } = TrainedSeries::read(&weights(run, 1))?;
        if networks::sequence_input(&network.network).is_some_and(SeriesInput::is_features) {
            return Err(BundlingError::unfit(
                run.display().to_string(),
                format!(
                    "`{}` reads features, and an ensemble has none of its own",
                    network.network
                ),
                "train `--network sequence-probabilities` on the tables of `hemora ensemble fit`",
            ));
        }
        let mut all = Self::default();
        all.add(run, Wanted { fold: None, own_fold: false })?;
        Ok(all)
    }

    /// Adds a run's networks, one a fold, or that of one fold alone, and its evaluation.
    fn add(&mut self, run: &Path, wanted: Wanted) -> Result<(), BundlingError> {
        let unfit = |problem: &str, advice| {
            BundlingError::unfit(run.display().to_string(), problem, advice)
        };
        let table = run.join("slices.parquet");
        if !table.is_file() {
            let advice = "give the folder of a run of `hemora-train sequence` that has ended";
            return Err(unfit("it has no slices.parquet", advice));
        }
        let mut first: Option<SeriesNetwork> = None;
        let (mut parameters, mut taken) = (0, 0);
        for fold in 1..=SliceTable::read(&table)?.folds() {
            let path = weights(run, fold);
            let trained = TrainedSeries::read(&path)?;
            let network = trained.network;
            if first.as_ref().is_some_and(|first| !is_same(first, &network)) {
                return Err(BundlingError::unfit(
                    path.display().to_string(),
                    "it is another network than that of fold 1",
                    "give a run whose folds were trained alike",
                ));
            }
            self.trained_on.extend(network.views.map(|views| (run.to_owned(), views)));
            let belongs = match network.features_of_fold {
                None => !wanted.own_fold || wanted.fold == Some(fold),
                of_fold => of_fold == wanted.fold,
            };
            if belongs {
                let options = networks::SequenceOptions {
                    columns: network.columns,
                    hidden: network.hidden,
                    layers: network.layers,
                    // Does not matter any more.
                    dropout: 0.0,
                };
                let Some(graph) = networks::build_sequence(&network.network, &options) else {
                    let problem = format!("it is of an unknown network `{}`", network.network);
                    return Err(unfit(&problem, "use the version of Hemora that trained it"));
                };
                let graph =
                    graph.map_err(|source| BundlingError::Graph { path: path.clone(), source })?;
                let network = onnx::write(&graph, &trained.weights);
                self.networks.push(network.map_err(BundlingError::weights(&path))?);
                parameters = graph.trainable_parameters() as u64;
                taken += 1;
            }
            first.get_or_insert(network);
        }
        let Some(SeriesNetwork { network, columns, .. }) = first else {
            return Err(unfit("it has no folds", "give a run of `hemora-train sequence`"));
        };
        if taken == 0 {
            let fold = wanted.fold.map_or("no fold".to_owned(), |fold| format!("fold {fold}"));
            let problem = format!(
                "each of its networks belongs to one fold's network of slices, and the weights are of \
                 {fold}"
            );
            let advice = "give the model.safetensors of a fold of the run on slices whose features they \
                          were trained on";
            return Err(unfit(&problem, advice));
        }
        let Some(reads) = networks::sequence_input(&network) else {
            let problem = format!("`{network}` is no network of series");
            return Err(unfit(&problem, "give a run of `hemora-train sequence`"));
        };
        let validation = run.join("validation.csv");
        if validation.is_file() {
            self.evaluations.push(out_of_fold(&network, validation)?);
            self.evaluated = true;
        }
        self.stages.push(SeriesStage {
            network,
            reads,
            columns,
            trainable_parameters: parameters,
            // Hashed as the bundle is written.
            sha256: vec![String::new(); taken],
        });
        Ok(())
    }

    /// The views of the bundle: those that the runs were trained on, else those asked for, else one.
    pub fn views(&self, asked: Option<Views>) -> Result<Views, BundlingError> {
        let first = self.trained_on.first().map(|(_, views)| *views);
        let views = asked.or(first).unwrap_or_default();
        match self.trained_on.iter().find(|(_, trained_on)| *trained_on != views) {
            None => Ok(views),
            Some((run, trained_on)) => Err(BundlingError::unfit(
                run.display().to_string(),
                format!(
                    "its networks were trained on the views `{}`, and the bundle would have `{}`",
                    trained_on.name(),
                    views.name()
                ),
                format!(
                    "networks of series know only what they were trained on: give those views, or train \
                     them on what `hemora-train predict --views {}` writes",
                    views.name()
                ),
            )),
        }
    }

    /// Whether a run was evaluated out of fold.
    pub fn is_evaluated(&self) -> bool {
        self.evaluated
    }
}

/// The weights of a fold of a run.
fn weights(run: &Path, fold: u32) -> PathBuf {
    run.join(format!("fold-{fold}")).join("model.safetensors")
}

/// Whether two folds are one network, whatever they were trained on.
fn is_same(a: &SeriesNetwork, b: &SeriesNetwork) -> bool {
    (&a.network, a.columns, a.hidden, a.layers) == (&b.network, b.columns, b.hidden, b.layers)
}

fn out_of_fold(network: &str, predictions: PathBuf) -> Result<Evaluation, BundlingError> {
    let cases = Cases::load(&CaseRequest { predictions, ..CaseRequest::default() })?;
    let options =
        EvaluateOptions { name: format!("{network}, out of fold"), ..EvaluateOptions::default() };
    Ok(evaluate(cases, &options)?)
}

/// A note if the second run was trained on the probabilities of another run than the first.
fn other_first(first: &Path, second: &Path) -> Result<Option<String>, BundlingError> {
    let path = second.join("config.toml");
    let settings: toml::Table = toml::from_slice(&read(&path)?)
        .map_err(|source| BundlingError::Toml { path, source: Box::new(source) })?;
    let Some(trained_on) = settings.get("first").and_then(toml::Value::as_str) else {
        return Err(BundlingError::unfit(
            second.display().to_string(),
            "it was trained without a first run (--first)",
            "train it with --first on the slices.parquet of the run before it",
        ));
    };
    // Where the files were moved nothing can be compared.
    let same = [Path::new(trained_on), &first.join("slices.parquet")].map(|it| it.canonicalize());
    Ok(match same {
        [Ok(theirs), Ok(ours)] if theirs != ours => Some(format!(
            "the second stage was trained on `{trained_on}`, and here reads what {} predicts",
            first.display()
        )),
        _ => None,
    })
}
