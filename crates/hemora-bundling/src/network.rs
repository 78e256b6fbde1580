//! One trained network, with networks of series behind it, as a bundle.

use std::path::PathBuf;

use hemora_ct::{LABEL_COUNT, Views};
use hemora_metrics::Level;
use hemora_model::{Bundle, LabelValidation, Member, MemberNetworks, Metric, NetworkRef};
use hemora_nn::{networks, onnx};

use crate::calibration::{measured_metrics, read_calibration, read_evaluations};
use crate::network_card::network_card;
use crate::series_runs::SeriesRuns;
use crate::trained::TrainedSlices;
use crate::{About, BundlingError};

/// What a bundle of one network is made of.
#[derive(Debug, Clone, Default)]
pub struct BundleRequest {
    /// Weights that hemora-train wrote.
    pub weights: PathBuf,
    /// The [`About`] file.
    pub about: PathBuf,
    /// Views that triage averages; else those that the networks of series were trained on.
    pub views: Option<Views>,
    /// Thickness of the slices that the network was trained on, mm, to which triage averages thinner ones.
    pub slab_mm: Option<f64>,
    /// What `hemora calibrate` wrote.
    pub calibration: Option<PathBuf>,
    /// Evaluations for the card.
    pub evaluations: Vec<PathBuf>,
    /// Runs of networks of series: one, or one on features and then one on probabilities.
    pub series_runs: Vec<PathBuf>,
    /// Whether networks of series on probabilities are those of the weights' fold alone.
    pub own_fold: bool,
    /// The bundle to write.
    pub out: PathBuf,
}

/// A bundle that was written.
#[derive(Debug)]
pub struct Bundled {
    /// The bundle.
    pub bundle: Bundle,
    /// What whoever asked for it should know.
    pub warnings: Vec<String>,
}

/// Makes a bundle of one network.
///
/// # Errors
/// [`BundlingError`] names the file and what it lacks or what does not fit.
pub fn bundle_network(request: &BundleRequest) -> Result<Bundled, BundlingError> {
    let path = &request.weights;
    let trained = TrainedSlices::read(path)?;
    let about = About::read(&request.about)?;
    let name = trained.network.network.clone();
    let Some(input) = trained.network.input.clone() else {
        return Err(BundlingError::unfit(
            path.display().to_string(),
            "its training describes no input, so triage cannot make its images",
            "train on images that triage can make: a prepared set in colour is none",
        ));
    };
    if let Err(error) = input.check() {
        let advice = "give weights that hemora-train wrote";
        return Err(BundlingError::unfit(path.display().to_string(), error.to_string(), advice));
    }
    let calibration = read_calibration(request.calibration.as_deref())?;
    let mut evaluations = read_evaluations(&request.evaluations)?;
    let options = networks::Options {
        channels: input.channels.len(),
        size: input.size,
        head: Some(networks::Head::Sigmoid(LABEL_COUNT)),
        dropout: 0.0,
    };
    let Some(graph) = networks::build(&name, &options) else {
        let problem = format!("it is of an unknown network `{name}`");
        let advice = "use the version of Hemora that trained it";
        return Err(BundlingError::unfit(path.display().to_string(), problem, advice));
    };
    let graph = graph.map_err(|source| BundlingError::Graph { path: path.clone(), source })?;
    let slices = onnx::write(&graph, &trained.weights).map_err(BundlingError::weights(path))?;
    let fold = trained.network.fold;
    let mut series = SeriesRuns::read(&request.series_runs, &slices, fold, request.own_fold)?;
    evaluations.append(&mut series.evaluations);
    let member = Member {
        model: name.clone(),
        network: NetworkRef { name, trainable_parameters: graph.trainable_parameters() as u64 },
        input,
        views: series.views(request.views)?,
        slab_mm: request.slab_mm,
        series: series.stages.clone(),
        calibration: None,
        weights: [1.0; LABEL_COUNT],
        sha256: String::new(),
    };
    let own = trained.network.validation.iter().filter_map(|row| metric(row, &about));
    let metrics = own.chain(evaluations.iter().flat_map(measured_metrics)).collect();
    let info = about.describe(vec![member.clone()], metrics, calibration);
    let card = network_card(&info, &member, &about, &trained.network, &series, &evaluations);
    let networks = MemberNetworks { slices, series: series.networks };
    let bundle = Bundle::write(&request.out, &info, networks, &card)
        .map_err(BundlingError::bundle(&request.out))?;
    Ok(Bundled { bundle, warnings: series.notes })
}

/// The figure of a training for one label.
fn metric(row: &LabelValidation, about: &About) -> Option<Metric> {
    Some(Metric {
        name: "AUROC".to_owned(),
        label: Some(row.label),
        level: Level::Slice,
        value: row.auroc.value?,
        low: row.auroc.low,
        high: row.auroc.high,
        n: row.images,
        positives: row.positives,
        note: about.validation.clone(),
    })
}
