//! The images of a run: read, joined, split by patient.

use std::path::Path;
use std::sync::Arc;

use hemora_ct::{InputRecipe, Label, Window};
use hemora_data::{Groups, ImageSet, InMemorySet, Part, PreparedSet, Split, SplitTable, leaks};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

use crate::config::RunConfig;
use crate::progress::say;

/// What a run trains and validates on.
pub struct RunData {
    /// All images: those that are split, then the extra ones.
    pub set: Arc<InMemorySet>,
    /// Indices to train on and to validate on.
    pub split: Split,
    /// Indices to test on, at the end; empty without a split table.
    pub test: Vec<usize>,
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
    let table = config.split.as_deref().map(SplitTable::read).transpose().into_diagnostic()?;
    let mut known = Groups::default();
    for table in &config.groups {
        known.merge(&read_groups(table)?);
    }
    if PreparedSet::is_one(&config.images) {
        let prepared = PreparedSet::open(&config.images).into_diagnostic()?;
        known.merge(&prepared.groups().into_diagnostic()?);
    }
    let wanted = |id: &str| table.as_ref().is_none_or(|table| table.part(id).is_some());
    let mut set = read_set(&config.images, &config.labels, config, &recipe, &wanted)?;
    let main = set.len();
    for extra in &config.extra {
        let Some((images, labels)) = extra.split_once(':') else {
            bail!("--extra {extra}: expected a folder and a label table as DIR:CSV");
        };
        let more = read_set(Path::new(images), Path::new(labels), config, &recipe, &|_| true)?;
        set.append(more).into_diagnostic().wrap_err_with(|| format!("--extra {extra}"))?;
    }
    let groups = set.groups(&known);
    let labels = set.all_labels();
    let (mut split, test) = match &table {
        Some(table) => listed(table, &set, main),
        None => (drawn(config, &labels[..main], &groups[..main])?, Vec::new()),
    };
    split.train.extend(main..set.len());
    let sides = [("train", &split.train), ("validation", &split.validation), ("test", &test)];
    refuse_leaks(config, &sides, &groups)?;
    for (side, indices) in sides.into_iter().filter(|(_, indices)| !indices.is_empty()) {
        let counts = Label::ALL.map(|label| {
            let count = indices.iter().filter(|&&index| labels[index][label.index()]).count();
            format!("{label} {count}")
        });
        say(&format!("{side}: {} images; {}", indices.len(), counts.join(", ")));
    }
    Ok(RunData { set: Arc::new(set), split, test, groups, recipe })
}

/// The split that the run draws itself.
fn drawn(config: &RunConfig, labels: &[[bool; 6]], groups: &[String]) -> Result<Split> {
    let alone: Vec<String>;
    let groups = if config.split_by == "image" {
        alone = (0..groups.len()).map(|index| index.to_string()).collect();
        &alone
    } else {
        groups
    };
    crate::folds::hold_out(config, labels, groups)
}

/// The parts that a table names, among the first `main` images.
fn listed(table: &SplitTable, set: &InMemorySet, main: usize) -> (Split, Vec<usize>) {
    let of = |part| {
        (0..main).filter(|&index| table.part(set.id(index)) == Some(part)).collect::<Vec<_>>()
    };
    let [train, validation, test] = Part::ALL.map(of);
    let found = train.len() + validation.len() + test.len();
    if found < table.len() {
        crate::progress::say(&format!(
            "{} images of the split table are not there",
            table.len() - found
        ));
    }
    (Split { train, validation }, test)
}

/// Refuses a patient in two parts, unless the split is by image.
fn refuse_leaks(
    config: &RunConfig,
    sides: &[(&str, &Vec<usize>); 3],
    groups: &[String],
) -> Result<()> {
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
        let leaking = leaks(sides[first].1, sides[second].1, groups);
        let Some(example) = leaking.first() else { continue };
        let (one, other) = (sides[first].0, sides[second].0);
        if config.split_by == "image" {
            crate::progress::say(&format!(
                "{} patients are in {one} and {other}: split by image",
                leaking.len()
            ));
            continue;
        }
        bail!(
            help = "images given by --extra must be of other patients; --split-by image allows it, \
                    and figures are then too good",
            "{} patients are in {one} and {other}, {example} among them",
            leaking.len()
        );
    }
    Ok(())
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
    wanted: &dyn Fn(&str) -> bool,
) -> Result<InMemorySet> {
    let mut folder = images.to_owned();
    if PreparedSet::is_one(images) {
        let prepared = PreparedSet::open(images).into_diagnostic()?;
        if prepared.is_hu() {
            let bar = crate::progress::bar(0, "images read");
            let moved = |done, total| {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            };
            let set =
                InMemorySet::open_hu(images, config.working_size, &moved).into_diagnostic()?;
            bar.finish_and_clear();
            name_skipped(&set);
            return Ok(set);
        }
        folder = prepared.images();
    }
    let mut files = ImageSet::open(&folder, labels).into_diagnostic()?;
    let report = files.report();
    if !report.unlabelled.is_empty() || !report.without_image.is_empty() {
        say(&format!(
            "{}: {} images have no labels, {} labels have no image; both are left out",
            images.display(),
            report.unlabelled.len(),
            report.without_image.len()
        ));
    }
    files.keep(wanted);
    if files.images().is_empty() {
        bail!("--split names none of the images in {}", images.display());
    }
    let bar = crate::progress::bar(files.images().len() as u64, "images read");
    let set = files
        .load(recipe, config.working_size, &|done, _| bar.set_position(done as u64))
        .into_diagnostic()?;
    bar.finish_and_clear();
    name_skipped(&set);
    Ok(set)
}

fn name_skipped(set: &InMemorySet) {
    for skipped in set.skipped().iter().take(10) {
        say(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    if set.skipped().len() > 10 {
        say(&format!("skipped {} more files", set.skipped().len() - 10));
    }
}
