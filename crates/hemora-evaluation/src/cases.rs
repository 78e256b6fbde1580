//! Predictions joined with their labels, groups, series and studies.

use std::path::PathBuf;

use hemora_ct::{Fingerprint, Label};
use hemora_data::TableColumn;
use hemora_metrics::{Aggregation, Clusters, Hierarchy, LabelColumn, LearnedAggregation, Origin};

use crate::document::{Alignment, FileRef, Grouping};
use crate::facts::{Facts, IndexFacts};
use crate::grouped::{Known, check_nested, groups, part};
use crate::labelled::{labels, warn_alignment, warn_not_indexed};
use crate::{EvaluateError, Mapping, Predictions};

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct CaseRequest {
    /// The predictions.
    pub predictions: PathBuf,
    /// Their columns.
    pub mapping: Mapping,
    /// The labels; if absent, those of the index, else `label_…` columns of the predictions.
    pub labels: Option<PathBuf>,
    /// The index (Parquet) that the slices stand in.
    pub index: Option<PathBuf>,
    /// What is resampled; if absent, the patients of the index, else those of the predictions:
    /// `group`, else the study.
    pub groups: Option<TableColumn>,
    /// The series of slices, where neither predictions nor index have them.
    pub series: Option<TableColumn>,
    /// The study of slices, where neither predictions nor index have them.
    pub studies: Option<TableColumn>,
    /// Whether slices without labels may be left out.
    pub partial: bool,
    /// How slices make a series.
    pub aggregation: Aggregation,
    /// A fitted rule for that instead.
    pub learned: Option<LearnedAggregation>,
}

/// Slices with predictions and labels.
#[derive(Debug, Clone)]
pub struct Cases {
    /// The predictions' file.
    pub file: FileRef,
    /// The labels' file; absent if they stand in the predictions.
    pub labels_file: Option<FileRef>,
    /// The index.
    pub index_file: Option<FileRef>,
    /// Hash of the ids of all predictions.
    pub ids_sha256: String,
    /// Ids of the slices.
    pub ids: Vec<String>,
    /// Probabilities and truth of each label.
    pub columns: Vec<LabelColumn>,
    /// Group of each slice by name; an own name where none is known.
    pub group_names: Vec<String>,
    /// The same as numbers.
    pub clusters: Clusters,
    /// What a group is.
    pub grouping: Grouping,
    /// Series and studies, with the positions of slices.
    pub hierarchy: Hierarchy,
    /// What the index knows of each slice.
    pub facts: Option<Vec<Option<Facts>>>,
    /// What each slice looks like, where the index does not have it.
    pub looks: Option<Vec<Option<Fingerprint>>>,
    /// Whether the table is one that triage writes.
    pub of_triage: bool,
    /// What predictions and labels have in common.
    pub alignment: Alignment,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

impl Cases {
    /// Reads and joins everything.
    ///
    /// # Errors
    /// [`EvaluateError`] names the file and what does not fit, with counts.
    pub fn load(request: &CaseRequest) -> Result<Self, EvaluateError> {
        let predictions = Predictions::read(&request.predictions, &request.mapping)?;
        let ids_sha256 = predictions.ids_sha256();
        let mut warnings = Vec::new();
        let index = request.index.as_deref();
        let mut index = index.map(|path| IndexFacts::read(path, &predictions.ids)).transpose()?;
        if let Some(index) = &mut index {
            warnings.append(&mut index.warnings);
        }
        let (alignment, kept, truth, labels_file) =
            labels(request, &predictions, index.as_ref(), &mut warnings)?;
        warn_alignment(&alignment, &mut warnings);
        let pick = |values: &[String]| -> Vec<String> {
            kept.iter().map(|&slice| values[slice].clone()).collect()
        };
        let ids = pick(&predictions.ids);
        let columns: Vec<LabelColumn> = predictions
            .labels
            .iter()
            .zip(truth)
            .zip(&predictions.probabilities)
            .map(|((&label, truth), probabilities)| LabelColumn {
                label,
                probabilities: kept.iter().map(|&slice| probabilities[slice]).collect(),
                truth,
            })
            .collect();
        for column in &columns {
            warn_one_class(column, &mut warnings);
        }
        let index_file = index.as_ref().map(|index| index.file.clone());
        let facts: Option<Vec<Option<Facts>>> =
            index.map(|mut index| kept.iter().map(|&slice| index.slices[slice].take()).collect());
        if let (Some(facts), Some(file)) = (&facts, &index_file) {
            warn_not_indexed(facts, &ids, file, &mut warnings);
        }
        let of_index = |field: fn(&Facts) -> &str| -> Option<Vec<String>> {
            let value = |facts: &Option<Facts>| facts.as_ref().map_or("", field).to_owned();
            Some(facts.as_ref()?.iter().map(value).collect())
        };
        let known = predictions.series.as_deref().map(pick);
        let known = known.or_else(|| of_index(|facts| &facts.series));
        let series = part("series", &request.series, known, &ids, &mut warnings)?;
        let known = predictions.studies.as_deref().map(pick);
        let known = known.or_else(|| of_index(|facts| &facts.study));
        let studies = part("study", &request.studies, known, &ids, &mut warnings)?;
        check_nested(series.as_deref(), studies.as_deref(), &ids)?;
        let known = Known {
            patients: of_index(|facts| &facts.patient),
            own: predictions.groups.as_deref().map(pick),
            studies: studies.as_deref(),
        };
        let (group_names, grouping) = groups(request, known, &ids, &mut warnings)?;
        let position = |(index, &slice): (usize, &usize)| match &predictions.positions {
            Some(positions) => positions[slice],
            None => facts.as_ref().and_then(|facts| facts[index].as_ref()?.z),
        };
        let hierarchy = Hierarchy {
            series: series.map(|series| Clusters::new(&series)),
            studies: studies.map(|studies| Clusters::new(&studies)),
            positions: kept.iter().enumerate().map(position).collect(),
            aggregation: request.aggregation,
            learned: request.learned.clone(),
        };
        warn_order(&hierarchy, &mut warnings);
        Ok(Self {
            of_triage: predictions.is_of_triage(),
            file: predictions.file,
            labels_file,
            index_file,
            ids_sha256,
            columns,
            clusters: Clusters::new(&group_names),
            group_names,
            grouping,
            hierarchy,
            facts,
            looks: None,
            alignment,
            warnings,
            ids,
        })
    }

    /// What each slice looks like, from the index or what was given beside it; `None` if nothing
    /// is known of any.
    pub(crate) fn fingerprints(&self) -> Option<Vec<Option<Fingerprint>>> {
        let of_index = |slice: usize| self.facts.as_ref()?[slice].as_ref()?.fingerprint;
        let given = |slice: usize| self.looks.as_ref().and_then(|looks| looks[slice]);
        let looks: Vec<Option<Fingerprint>> =
            (0..self.ids.len()).map(|slice| of_index(slice).or_else(|| given(slice))).collect();
        looks.iter().any(Option::is_some).then_some(looks)
    }

    /// These cases as the origin of something that is fitted on them.
    pub fn origin(&self) -> Origin {
        Origin {
            file: self.file.file.clone(),
            sha256: self.file.sha256.clone(),
            ids_sha256: self.ids_sha256.clone(),
            items: self.ids.len() as u64,
            groups: self.grouping.groups,
            grouping: self.grouping.kind.clone(),
        }
    }

    /// Whether something with this origin was fitted on these cases.
    pub fn are(&self, origin: &Origin) -> bool {
        origin.sha256 == self.file.sha256 || origin.ids_sha256 == self.ids_sha256
    }

    /// The labels that are evaluated.
    pub fn labels(&self) -> Vec<Label> {
        self.columns.iter().map(|column| column.label).collect()
    }
}

/// Says where slices are neighbours by their rows alone, if that matters.
fn warn_order(hierarchy: &Hierarchy, warnings: &mut Vec<String>) {
    let reads = hierarchy.learned.is_none() && hierarchy.aggregation.reads_neighbours();
    let [lack, all] = hierarchy.without_order();
    if reads && lack > 0 {
        let what = if hierarchy.series.is_some() { "series" } else { "studies" };
        warnings.push(format!(
            "{lack} of {all} {what} have slices without a position: their rows are taken for neighbours in \
             the order of the table, which `{}` reads; give the index, or --aggregate top-3",
            hierarchy.aggregation
        ));
    }
}

fn warn_one_class(column: &LabelColumn, warnings: &mut Vec<String>) {
    let positives = column.truth.iter().filter(|label| **label).count();
    if positives == 0 || positives == column.truth.len() {
        let class = if positives == 0 { "negative" } else { "positive" };
        warnings.push(format!(
            "{}: all {} slices are {class}, so that ranking and {} are undefined",
            column.label,
            column.truth.len(),
            if positives == 0 { "sensitivity" } else { "specificity" }
        ));
    }
}
