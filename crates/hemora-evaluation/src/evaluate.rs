//! From cases to the metrics document.

use std::path::PathBuf;

use hemora_ct::{Label, NOTICE};
use hemora_data::TableColumn;
use hemora_metrics::{
    BootstrapOptions, Calibration, LabelColumn, Level, LevelSet, MeasureOptions, OperatingPoint,
    OperatingRule, ProbabilityScores, Stacks, compare, holm, lesions, measure,
};

use crate::document::{
    CalibrationEffect, Comparison, Evaluation, LabelComparison, LabelEffect, Lesions, LevelMetrics,
    SCHEMA_VERSION, Tool,
};
use crate::duplicates::duplicates;
use crate::review::mistakes;
use crate::strata;
use crate::subgroups::{looked_up, subgroups};
use crate::{Cases, EvaluateError, Mapping, Predictions};

/// What is measured.
#[derive(Debug, Clone)]
pub struct EvaluateOptions {
    /// Name of the run or model.
    pub name: String,
    /// How intervals are made.
    pub bootstrap: BootstrapOptions,
    /// Bins of reliability curves.
    pub bins: usize,
    /// Prevalences for which predictive values are given.
    pub prevalences: Vec<f64>,
    /// Calibration to apply to slices first.
    pub calibration: Option<Calibration>,
    /// Whether the predictions are calibrated already, as triage gives them with a calibrated
    /// model.
    pub calibrated: bool,
    /// Operating points to apply.
    pub points: Vec<OperatingPoint>,
    /// Rules by which thresholds are chosen on these very cases.
    pub choose: Vec<OperatingRule>,
    /// Whether what was chosen or fitted on these cases may be reported on them.
    pub tune_on_test: bool,
    /// Another model's predictions of the same slices.
    pub compare: Option<(PathBuf, Mapping)>,
    /// Columns whose values make subgroups.
    pub subgroups: Vec<TableColumn>,
    /// Mistakes listed of each kind.
    pub mistakes: usize,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            name: "model".to_owned(),
            bootstrap: BootstrapOptions { repeats: 1000, ..BootstrapOptions::default() },
            bins: 10,
            prevalences: Vec::new(),
            calibration: None,
            calibrated: false,
            points: Vec::new(),
            choose: Vec::new(),
            tune_on_test: false,
            compare: None,
            subgroups: Vec::new(),
            mistakes: 20,
        }
    }
}

/// Measures cases.
///
/// # Errors
/// [`EvaluateError::Request`] if a threshold or calibration comes from these very cases and that
/// was not asked for by name, if operating points and calibration do not belong together, or if the
/// other model's slices are not these; [`EvaluateError::Metric`] if an option is out of bounds.
pub fn evaluate(mut cases: Cases, options: &EvaluateOptions) -> Result<Evaluation, EvaluateError> {
    let tuned = check_tuning(&cases, options)?;
    let measured = MeasureOptions {
        bootstrap: Some(options.bootstrap.clone()),
        bins: options.bins,
        prevalences: options.prevalences.clone(),
    };
    let mut other = options
        .compare
        .as_ref()
        .map(|(path, mapping)| other_model(&cases, path, mapping))
        .transpose()?;
    let calibration = match &options.calibration {
        None => None,
        Some(calibration) => Some(apply(calibration, &mut cases.columns)?),
    };
    let sets = cases.hierarchy.levels(cases.columns.clone(), &cases.clusters);
    let points = points(&sets, options, &cases)?;
    let at = |level: Level| -> Vec<OperatingPoint> {
        points.iter().filter(|point| point.level == level).cloned().collect()
    };
    let mut levels = Vec::with_capacity(sets.len());
    for set in &sets {
        let metrics = measure(&set.columns, &set.clusters, &at(set.level), &measured)?;
        levels.push(LevelMetrics { level: set.level, metrics });
    }
    let comparison = match other.take() {
        None => None,
        Some((file, columns)) => {
            let others = cases.hierarchy.levels(columns, &cases.clusters);
            let mut labels = Vec::new();
            for (set, other) in sets.iter().zip(&others) {
                labels.extend(compare_level(set, other, &options.bootstrap)?);
            }
            Some(Comparison { other: file, labels })
        }
    };
    let mut strata: Vec<strata::Strata> = options
        .subgroups
        .iter()
        .map(|column| looked_up(&cases, column))
        .collect::<Result<_, _>>()?;
    let (of_index, undivided) = strata::of_index(&cases);
    strata.extend(of_index);
    strata.extend(strata::of_types(&cases));
    let mut parts = Vec::new();
    for strata in &strata {
        parts.extend(subgroups(&cases, strata, &at(Level::Slice), &measured)?);
    }
    Ok(Evaluation {
        schema_version: SCHEMA_VERSION,
        notice: NOTICE.to_owned(),
        tool: Tool { name: "hemora".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        name: options.name.clone(),
        lesions: found_lesions(&cases, &at(Level::Slice), &options.bootstrap)?,
        mistakes: mistakes(&cases, options.mistakes),
        contact_sheet: None,
        duplicates: duplicates(&cases),
        aggregation: cases.hierarchy.aggregation_name(),
        learned_aggregation: cases.hierarchy.learned,
        predictions: cases.file,
        labels: cases.labels_file,
        index: cases.index_file,
        ids_sha256: cases.ids_sha256,
        alignment: cases.alignment,
        grouping: cases.grouping,
        bootstrap: options.bootstrap.clone(),
        calibration,
        tuned_on_these_cases: tuned,
        levels,
        comparison,
        subgroups: parts,
        undivided,
        warnings: cases.warnings,
    })
}

/// The lesions, where series and the order of their slices are known.
fn found_lesions(
    cases: &Cases,
    points: &[OperatingPoint],
    bootstrap: &BootstrapOptions,
) -> Result<Option<Lesions>, EvaluateError> {
    let Some(series) = &cases.hierarchy.series else { return Ok(None) };
    let stacks = Stacks::new(series, &cases.hierarchy.positions);
    if stacks.ordered() == 0 {
        return Ok(None);
    }
    Ok(Some(Lesions {
        series: stacks.ordered(),
        unordered_series: stacks.unordered(),
        labels: lesions(&cases.columns, &stacks, &cases.clusters, points, bootstrap)?,
    }))
}

/// Whether something was tuned on these cases; an error unless that was asked for.
fn check_tuning(cases: &Cases, options: &EvaluateOptions) -> Result<bool, EvaluateError> {
    let mut tuned = Vec::new();
    if options.choose.iter().any(|rule| !matches!(rule, OperatingRule::Fixed(_))) {
        tuned.push("thresholds would be chosen");
    }
    let own = |point: &&OperatingPoint| point.origin.as_ref().is_some_and(|from| cases.are(from));
    if options.points.iter().find(own).is_some() {
        tuned.push("operating points were chosen");
    }
    if options.calibration.as_ref().is_some_and(|calibration| cases.are(&calibration.origin)) {
        tuned.push("the calibration was fitted");
    }
    if cases.hierarchy.learned.as_ref().is_some_and(|learned| cases.are(&learned.origin)) {
        tuned.push("the aggregation was fitted");
    }
    if options.calibrated && options.calibration.is_some() {
        return Err(EvaluateError::Request(
            "predictions that are calibrated already cannot be calibrated again".to_owned(),
        ));
    }
    if !tuned.is_empty() && !options.tune_on_test {
        return Err(EvaluateError::Request(format!(
            "{} on the very cases that are evaluated, which makes the figures too good; choose on \
             other patients with `hemora calibrate`, or ask for it with --tune-on-test, and the \
             page will say so",
            tuned.join(" and ")
        )));
    }
    let calibrated = options.calibrated || options.calibration.is_some();
    let misfit = |point: &&OperatingPoint| point.origin.is_some() && point.calibrated != calibrated;
    if let Some(point) = options.points.iter().find(misfit) {
        let (needs, todo) = if point.calibrated {
            (
                "calibrated",
                "apply the calibration of the same document, or say that the predictions are calibrated already",
            )
        } else {
            ("uncalibrated", "evaluate without a calibration")
        };
        return Err(EvaluateError::Request(format!(
            "operating point `{}` is for {needs} probabilities; {todo}",
            point.name
        )));
    }
    Ok(!tuned.is_empty())
}

/// Calibrates the columns themselves.
fn apply(
    calibration: &Calibration,
    columns: &mut [LabelColumn],
) -> Result<CalibrationEffect, EvaluateError> {
    calibration.check()?;
    let mut labels = Vec::with_capacity(columns.len());
    for column in columns {
        let before = ProbabilityScores::measure(&column.probabilities, &column.truth)?;
        if let Some(calibrator) = calibration.get(column.label) {
            for probability in &mut column.probabilities {
                *probability = calibrator.apply(*probability);
            }
        }
        let after = ProbabilityScores::measure(&column.probabilities, &column.truth)?;
        labels.push(LabelEffect { label: column.label, before, after });
    }
    let (method, origin) = (calibration.method, calibration.origin.clone());
    Ok(CalibrationEffect { method, origin, labels })
}

/// The operating points given and those chosen here.
fn points(
    sets: &[LevelSet],
    options: &EvaluateOptions,
    cases: &Cases,
) -> Result<Vec<OperatingPoint>, EvaluateError> {
    let mut points = options.points.clone();
    let calibrated = options.calibrated || options.calibration.is_some();
    let origin = cases.origin();
    for set in sets {
        points.extend(set.operating_points(&options.choose, calibrated, &origin)?);
    }
    Ok(points)
}

/// The other model's file and its columns in the order of these cases.
fn other_model(
    cases: &Cases,
    path: &std::path::Path,
    mapping: &Mapping,
) -> Result<(crate::FileRef, Vec<LabelColumn>), EvaluateError> {
    let mapping = Mapping { only: cases.labels(), ..mapping.clone() };
    let other = Predictions::read(path, &mapping)?;
    let indices: std::collections::HashMap<&str, usize> =
        other.ids.iter().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
    let mut missing = crate::Tally::default();
    let mut order = Vec::with_capacity(cases.ids.len());
    for id in &cases.ids {
        match indices.get(id.as_str()) {
            Some(&index) => order.push(index),
            None => missing.add(|| hemora_data::shorten(id)),
        }
    }
    if missing.count > 0 {
        return Err(EvaluateError::Rows {
            path: path.to_owned(),
            what: "of the slices to compare are not there",
            tally: missing,
            todo: "models are compared on the same slices only",
        });
    }
    let columns = cases
        .columns
        .iter()
        .zip(&other.probabilities)
        .map(|(column, probabilities)| LabelColumn {
            label: column.label,
            probabilities: order.iter().map(|&index| probabilities[index]).collect(),
            truth: column.truth.clone(),
        })
        .collect();
    Ok((other.file, columns))
}

fn compare_level(
    set: &LevelSet,
    other: &LevelSet,
    bootstrap: &BootstrapOptions,
) -> Result<Vec<LabelComparison>, EvaluateError> {
    let mut differences: Vec<(Label, _)> = Vec::new();
    for (one, two) in set.columns.iter().zip(&other.columns) {
        let (first, second) = (&one.probabilities, &two.probabilities);
        let difference = compare(first, second, &one.truth, &set.clusters, bootstrap)?;
        differences.push((one.label, difference));
    }
    let resampled: Vec<_> = differences.iter().map(|(_, one)| one.auroc_p_value).collect();
    let delong: Vec<_> = differences.iter().map(|(_, one)| one.delong.p_value).collect();
    let adjusted = holm(&resampled).into_iter().zip(holm(&delong));
    Ok(differences
        .into_iter()
        .zip(adjusted)
        .map(|((label, difference), (auroc_p_value_holm, delong_p_value_holm))| LabelComparison {
            level: set.level,
            label,
            difference,
            auroc_p_value_holm,
            delong_p_value_holm,
        })
        .collect())
}
