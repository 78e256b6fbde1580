//! Flags that name the predictions and labels that are read, shared by evaluate and calibrate.

use std::path::PathBuf;

use clap::Args;
use hemora_ct::Label;
use hemora_data::TableColumn;
use hemora_evaluation::{CaseRequest, Mapping};
use hemora_metrics::Aggregation;

/// Flags of the tables.
#[derive(Debug, Args)]
pub struct CaseArgs {
    /// Predictions: result.csv of triage, validation.csv of a training run, a competition submission
    /// (`ID,Label`), or any CSV or Parquet with a column of ids and one for each label
    #[arg(value_name = "PREDICTIONS")]
    pub predictions: PathBuf,

    /// Labels: the competition's `ID,Label` rows, or a table with a column of 0 and 1 for each label
    /// [default: those of the index, else `label_…` columns of the predictions]
    #[arg(long, value_name = "TABLE")]
    pub labels: Option<PathBuf>,

    /// Index of the slices that `hemora index` wrote: labels, patients, series, subgroups, pixels
    #[arg(long, value_name = "PARQUET")]
    pub index: Option<PathBuf>,

    /// What is resampled, such as patients [default: those of the index or the predictions]
    #[arg(long, value_name = "TABLE:ID:COLUMN")]
    pub groups: Option<TableColumn>,

    /// Series of the slices [default: those of the predictions or the index]
    #[arg(long, value_name = "TABLE:ID:COLUMN")]
    pub series_column: Option<TableColumn>,

    /// Studies of the slices [default: those of the predictions or the index]
    #[arg(long = "studies", value_name = "TABLE:ID:COLUMN")]
    pub study_column: Option<TableColumn>,

    /// Column of ids in the predictions
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,

    /// Column of a label's probabilities, where it is not named after the label; may be repeated
    #[arg(long = "column", value_name = "LABEL=COLUMN", value_parser = parse_column)]
    pub columns: Vec<(Label, String)>,

    /// The labels to evaluate [default: all six]
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    pub only: Vec<Label>,

    /// Leave out slices without labels; they are counted and named
    #[arg(long)]
    pub partial: bool,

    /// How slices make a series: run-N (N neighbours with the highest mean log odds), top-N (mean of
    /// the N highest), max or noisy-or
    /// [default: that of the operating points, else run-3]
    #[arg(long, value_name = "HOW")]
    pub aggregate: Option<Aggregation>,
}

impl CaseArgs {
    /// The columns of the predictions.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            id: self.id.clone(),
            columns: self.columns.iter().cloned().collect(),
            only: self.only.clone(),
        }
    }

    /// What is read.
    pub fn request(&self) -> CaseRequest {
        CaseRequest {
            predictions: self.predictions.clone(),
            mapping: self.mapping(),
            labels: self.labels.clone(),
            index: self.index.clone(),
            groups: self.groups.clone(),
            series: self.series_column.clone(),
            studies: self.study_column.clone(),
            partial: self.partial,
            aggregation: self.aggregate.unwrap_or_default(),
            learned: None,
        }
    }
}

fn parse_column(text: &str) -> Result<(Label, String), String> {
    let (label, column) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is not LABEL=COLUMN"))?;
    Ok((label.parse()?, column.to_owned()))
}
