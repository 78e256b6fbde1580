//! The images of a run: read, joined, split by patient.

use std::path::Path;
use std::sync::Arc;

use hemora_ct::{Channel, InputRecipe, Label, Window};
use hemora_data::{
    Groups, ImageSet, InMemorySet, JpegSet, LoaderSet, Output, Part, PreparedSet, Split,
    SplitTable, Stacks, leaks,
};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

use crate::config::RunConfig;
use crate::files::read_small;
use crate::parts::{Parts, open_prepared};
use crate::progress::say;

/// The images of a run with all that is known of them, before they are split.
pub struct Images {
    /// All images: those that are split, then the extra ones.
    pub set: LoaderSet,
    /// Patient (or best known group) of every image.
    pub groups: Vec<String>,
    /// How an image becomes the network's input.
    pub recipe: InputRecipe,
    /// Whether `recipe` describes how slices became what is trained on, so that inference can do the
    /// same: not for windowed colours that somebody made.
    pub describes: bool,
    /// Number of images that are split.
    main: usize,
    /// Which part each image is in, where a table or the prepared set says so.
    parts: Option<Parts>,
}

/// What a run trains and validates on.
pub struct RunData {
    /// All images: those that are split, then the extra ones.
    pub set: LoaderSet,
    /// Indices to train on and to validate on.
    pub split: Split,
    /// Indices to test on, at the end; empty without a split table.
    pub test: Vec<usize>,
    /// Patient (or best known group) of every image.
    pub groups: Vec<String>,
    /// How an image becomes the network's input.
    pub recipe: InputRecipe,
    /// Whether inference can make that input.
    pub describes: bool,
    /// The series of the images, where a network of series is trained with that of slices.
    pub stacks: Option<Arc<Stacks>>,
}

/// Reads everything that `config` names.
///
/// # Errors
/// A report that names the file and what to do.
pub fn load(config: &RunConfig) -> Result<RunData> {
    let images = Images::load(config)?;
    let (split, test) = images.split(config)?;
    let sides = [("train", &split.train), ("validation", &split.validation), ("test", &test)];
    for (side, indices) in sides.into_iter().filter(|(_, indices)| !indices.is_empty()) {
        let counts = Label::ALL.map(|label| {
            let is_positive = |&&index: &&usize| images.set.labels(index)[label.index()];
            format!("{label} {}", indices.iter().filter(is_positive).count())
        });
        say(&format!("{side}: {} images; {}", indices.len(), counts.join(", ")));
    }
    let stacks =
        config.is_joint().then(|| crate::joint::stacks(config, &images.set)).transpose()?;
    let Images { set, groups, recipe, describes, .. } = images;
    Ok(RunData { set, split, test, groups, recipe, describes, stacks })
}

/// The same settings with the folds that the prepared set has.
///
/// # Errors
/// A report if the set cannot be read, or was split in another way than is asked for.
pub fn with_folds_of_set(config: &RunConfig) -> Result<RunConfig> {
    if !config.is_prepared() || config.split.is_some() {
        return Ok(config.clone());
    }
    let count = match Parts::of_set(&open_prepared(&config.prepared)?)? {
        Parts::Folds { count, .. } => count,
        Parts::Table(_) if config.folds > 0 => bail!(
            help = "prepare the set with --folds, or give the split as a table with --split",
            "--folds {}: {} was split into train, validation and test",
            config.folds,
            config.prepared.display()
        ),
        Parts::Table(_) => 0,
    };
    if config.folds > 0 && config.folds != count {
        bail!(
            "--folds {}: {} was split into {count} folds",
            config.folds,
            config.prepared.display()
        );
    }
    Ok(RunConfig { folds: count, ..config.clone() })
}

impl Images {
    /// Reads the images that `config` names.
    ///
    /// # Errors
    /// A report that names the file and what to do.
    pub fn load(config: &RunConfig) -> Result<Self> {
        let prepared = match config.is_prepared() || PreparedSet::is_one(config.images()) {
            true => Some(open_prepared(config.images())?),
            false => None,
        };
        let own = prepared.as_ref().filter(|_| config.is_prepared());
        let (recipe, described) = input(config, own)?;
        recipe.check().into_diagnostic()?;
        let parts = match (&config.split, own) {
            (Some(path), _) => Some(Parts::Table(SplitTable::read(path).into_diagnostic()?)),
            (None, Some(set)) => Some(Parts::of_set(set)?),
            (None, None) => None,
        };
        let mut known = Groups::default();
        for table in &config.groups {
            known.merge(&read_groups(table)?);
        }
        if let Some(prepared) = &prepared {
            known.merge(&prepared.groups().into_diagnostic()?);
        }
        let wanted = |id: &str| match &parts {
            Some(Parts::Table(table)) => table.part(id).is_some(),
            Some(Parts::Folds { of, .. }) => of.contains_key(id),
            None => true,
        };
        if config.from_files {
            return Self::from_files(config, recipe, described, parts, &known);
        }
        let labels = config.labels();
        let mut set = read_set(config.images(), &labels, config, &recipe, &wanted)?;
        let lacking = set.lacking_neighbours(recipe.reach());
        if lacking > 0 {
            say(&format!(
                "{lacking} images lack a neighbour in the set, for which another slice stands in; \
                 prepare the set with all slices (--negatives all)"
            ));
        }
        let main = set.len();
        for extra in &config.extra {
            let Some((images, labels)) = extra.split_once(':') else {
                bail!("--extra {extra}: expected a folder and a label table as DIR:CSV");
            };
            let more = read_set(Path::new(images), Path::new(labels), config, &recipe, &|_| true)?;
            set.append(more).into_diagnostic().wrap_err_with(|| format!("--extra {extra}"))?;
        }
        let groups = set.groups(&known);
        let describes = described && (own.is_some() || !set.has_made_channels());
        Ok(Self { set: Arc::new(set).into(), groups, recipe, describes, main, parts })
    }

    /// A prepared set of JPEGs that stays on disk.
    fn from_files(
        config: &RunConfig,
        recipe: InputRecipe,
        describes: bool,
        parts: Option<Parts>,
        known: &Groups,
    ) -> Result<Self> {
        if !config.is_prepared() || !config.extra.is_empty() {
            bail!("--from-files: expected --prepared, and no --extra images");
        }
        let prepared = open_prepared(&config.prepared)?;
        let files = ImageSet::open(&prepared.images(), &config.labels()).into_diagnostic()?;
        let set: LoaderSet = Arc::new(JpegSet::new(&files).into_diagnostic()?).into();
        let groups = known.clone().assign((0..set.len()).map(|index| set.id(index).to_owned()));
        let main = set.len();
        Ok(Self { set, groups, recipe, describes, main, parts })
    }

    /// What `config` trains and validates on, and its test images.
    ///
    /// # Errors
    /// A report if there are too few patients, or one is in two parts.
    pub fn split(&self, config: &RunConfig) -> Result<(Split, Vec<usize>)> {
        let labels = self.set.all_labels();
        let (mut split, test) = match &self.parts {
            Some(Parts::Table(table)) => listed(table, &self.set, self.main),
            Some(Parts::Folds { of, .. }) => {
                let held = config.fold.max(1) - 1;
                let fold = |index: &usize| of.get(self.set.id(*index)) == Some(&held);
                let (validation, train) = (0..self.main).partition(fold);
                (Split { train, validation }, Vec::new())
            }
            None => {
                let groups = &self.groups[..self.main];
                (drawn(config, &labels[..self.main], groups)?, Vec::new())
            }
        };
        split.train.extend(self.main..self.set.len());
        let sides = [("train", &split.train), ("validation", &split.validation), ("test", &test)];
        refuse_leaks(config, &sides, &self.groups)?;
        Ok((split, test))
    }
}

/// Largest file of an input, bytes.
const MAX_INPUT: u64 = 1 << 16;

/// The network's input, and whether inference can make it of a slice. `set` is the prepared set that
/// is trained on, if there is one.
pub(crate) fn input(config: &RunConfig, set: Option<&PreparedSet>) -> Result<(InputRecipe, bool)> {
    if let Some(Output::Jpeg { channels, .. }) = set.map(|set| &set.recipe().output) {
        if !config.input.is_empty() {
            bail!(
                help = "prepare the set with the recipe `hu`, of which any input can be made",
                "--input {}: the JPEGs of {} have their channels already",
                config.input,
                config.prepared.display()
            );
        }
        let made = set.and_then(|set| set.recipe().input(config.size));
        let describes = made.is_some();
        // As many planes as there are, whose windows only their recipe knows.
        let planes = vec![Channel { window: Window::BRAIN, offset: 0 }; channels.len()];
        return Ok((made.unwrap_or_else(|| InputRecipe::of(config.size, planes)), describes));
    }
    let name = if config.input.is_empty() { "grey" } else { &config.input };
    let recipe = match InputRecipe::named(name, config.size) {
        Some(recipe) => recipe,
        None => read_input(name, config.size)?,
    };
    let Some(set) = set else { return Ok((recipe, true)) };
    let prepare = set.recipe().preparation(config.working_size);
    Ok((InputRecipe { prepare, ..recipe }, prepare.is_some()))
}

/// The channels of an input in a TOML file.
fn read_input(path: &str, size: usize) -> Result<InputRecipe> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Channels {
        channels: Vec<Channel>,
    }
    let names = InputRecipe::NAMES.join(", ");
    let wrong = || format!("--input {path}: expected {names} or a TOML file with `channels`");
    let text = read_small(Path::new(path), MAX_INPUT).wrap_err_with(wrong)?;
    let Channels { channels } = toml::from_str(&text).into_diagnostic().wrap_err_with(wrong)?;
    Ok(InputRecipe::of(size, channels))
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
fn listed(table: &SplitTable, set: &LoaderSet, main: usize) -> (Split, Vec<usize>) {
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
    let mut working_size = config.working_size;
    if PreparedSet::is_one(images) {
        let prepared = PreparedSet::open(images).into_diagnostic()?;
        if prepared.is_hu() {
            let bar = crate::progress::bar(0, "images read");
            let moved = |done, total| {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            };
            let set = InMemorySet::open_hu(images, working_size, &moved).into_diagnostic()?;
            bar.finish_and_clear();
            name_skipped(&set);
            return Ok(set);
        }
        folder = prepared.images();
        if config.is_prepared() {
            // As they are: what was made of them once more, inference would not know.
            working_size = prepared.recipe().size.unwrap_or(working_size);
        }
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
        .load(recipe, working_size, &|done, _| bar.set_position(done as u64))
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
