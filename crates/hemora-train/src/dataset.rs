//! The images of a run: read, joined, split by patient.

use std::path::Path;
use std::sync::Arc;

use hemora_ct::{InputRecipe, Label, Window};
use hemora_data::{Groups, ImageSet, InMemorySet, Split, leaks};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

use crate::config::RunConfig;
use crate::progress::say;

/// What a run trains and validates on.
pub struct RunData {
    /// All images: those that are split, then the extra ones.
    pub set: Arc<InMemorySet>,
    /// Indices to train on and to validate on.
    pub split: Split,
    /// Patient (or best known group) of every image.
    pub groups: Vec<String>,
    /// How an image becomes the network's input.
    pub recipe: InputRecipe,
}

/// Reads everything that `config` names.
///
/// # Errors
/// A report that names the file and what to do.
pub fn load(config: &RunConfig) -> Result<RunData> {
    let recipe = InputRecipe::grey(config.size, Window::BRAIN);
    recipe.check().into_diagnostic()?;
    let mut known = Groups::default();
    for table in &config.groups {
        known.merge(&read_groups(table)?);
    }
    let mut set = read_set(&config.images, &config.labels, config, &recipe)?;
    let main = set.len();
    for extra in &config.extra {
        let Some((images, labels)) = extra.split_once(':') else {
            bail!("--extra {extra}: expected a folder and a label table as DIR:CSV");
        };
        let more = read_set(Path::new(images), Path::new(labels), config, &recipe)?;
        set.append(more).into_diagnostic().wrap_err_with(|| format!("--extra {extra}"))?;
    }
    let groups = set.groups(&known);
    let labels = set.all_labels();
    let mut split = crate::folds::hold_out(config, &labels[..main], &groups[..main])?;
    split.train.extend(main..set.len());
    let leaking = leaks(&split.train, &split.validation, &groups);
    if !leaking.is_empty() {
        bail!(
            "{} patients are in training and validation, {} among them: images given by --extra \
             must be of other patients",
            leaking.len(),
            leaking[0]
        );
    }
    for (side, indices) in [("train", &split.train), ("validation", &split.validation)] {
        let counts = Label::ALL.map(|label| {
            let count = indices.iter().filter(|&&index| labels[index][label.index()]).count();
            format!("{label} {count}")
        });
        say(&format!("{side}: {} images; {}", indices.len(), counts.join(", ")));
    }
    Ok(RunData { set: Arc::new(set), split, groups, recipe })
}

fn read_groups(table: &str) -> Result<Groups> {
    let parts: Vec<&str> = table.split(':').collect();
    match parts[..] {
        [path] => Groups::from_series_csv(Path::new(path)).into_diagnostic(),
        [path, id, group] => Groups::from_csv(Path::new(path), id, group).into_diagnostic(),
        _ => Err(miette!("--groups {table}: expected CSV or CSV:ID_COLUMN:GROUP_COLUMN")),
    }
}

fn read_set(
    images: &Path,
    labels: &Path,
    config: &RunConfig,
    recipe: &InputRecipe,
) -> Result<InMemorySet> {
    let files = ImageSet::open(images, labels).into_diagnostic()?;
    let report = files.report();
    if !report.unlabelled.is_empty() || !report.without_image.is_empty() {
        say(&format!(
            "{}: {} images have no labels, {} labels have no image; both are left out",
            images.display(),
            report.unlabelled.len(),
            report.without_image.len()
        ));
    }
    let bar = crate::progress::bar(files.images().len() as u64, "images read");
    let set = files
        .load(recipe, config.working_size, &|done, _| bar.set_position(done as u64))
        .into_diagnostic()?;
    bar.finish_and_clear();
    for skipped in set.skipped().iter().take(10) {
        say(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    if set.skipped().len() > 10 {
        say(&format!("skipped {} more files", set.skipped().len() - 10));
    }
    Ok(set)
}
