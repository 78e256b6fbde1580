//! The images of a run: read, joined, divided.

use std::path::Path;
use std::sync::Arc;

use hemora_ct::{InputRecipe, Label};
use hemora_data::{Groups, JpegSet, LoaderSet, PreparedSet, Split, Stacks};

use super::hold_out::divide;
use super::read::{add_known, open_images, read_set};
use super::{DataPlan, HoldOut, LoadError, Source, SplitPlan};
use crate::output::Reporter;

/// The images of a run with all that is known about them, before they are divided.
pub struct Images {
    /// All images: those that are divided, then the extra ones.
    pub set: LoaderSet,
    /// Patient (or best known group) of every image.
    pub groups: Vec<String>,
    /// How an image becomes the network's input.
    pub recipe: InputRecipe,
    /// Whether `recipe` describes how slices became what is trained on, so that inference can do the
    /// same: not for windowed colours that somebody made.
    pub describes: bool,
    /// Number of images that are divided.
    main: usize,
}

/// What a run trains and validates on.
pub struct RunData {
    /// All images: those that are divided, then the extra ones.
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

/// Reads everything that a plan names. `joint` says whether the series of the images are needed.
///
/// # Errors
/// [`LoadError`] names the file and what to do.
pub fn load(
    plan: &DataPlan,
    split: &SplitPlan,
    joint: bool,
    reporter: Reporter,
) -> Result<RunData, LoadError> {
    let images = Images::load(plan, &split.hold_out, reporter)?;
    let (mut split, test) = images.split(split, reporter)?;
    let sides = [("train", &split.train), ("validation", &split.validation), ("test", &test)];
    for (side, indices) in sides.into_iter().filter(|(_, indices)| !indices.is_empty()) {
        let counts = Label::ALL.map(|label| {
            let is_positive = |&&index: &&usize| images.set.labels(index)[label.index()];
            let is_known = |&&index: &&usize| images.set.known(index)[label.index()];
            let positive = indices.iter().filter(is_positive).count();
            let known = indices.iter().filter(is_known).count();
            match known == indices.len() {
                true => format!("{label} {positive}"),
                false => format!("{label} {positive} of {known} known"),
            }
        });
        reporter.log(&format!("{side}: {} images; {}", indices.len(), counts.join(", ")));
    }
    if plan.repeat_masked > 1 {
        let masked = masked(&images.set, &split.train);
        reporter.log(&format!(
            "train: {} images have annotated pixels and are shown {} times an epoch",
            masked.len(),
            plan.repeat_masked
        ));
        split.train.extend(masked.repeat(plan.repeat_masked - 1));
    }
    let stacks = match (joint, &plan.source) {
        (true, Source::Prepared { set, .. }) => Some(stacks(set, &images.set, reporter)?),
        _ => None,
    };
    let Images { set, groups, recipe, describes, .. } = images;
    Ok(RunData { set, split, test, groups, recipe, describes, stacks })
}

/// Those of some images that have a label in pixels of their own.
fn masked(set: &LoaderSet, among: &[usize]) -> Vec<usize> {
    let LoaderSet::Memory(set) = set else { return Vec::new() };
    let has_pixels = |index: &&usize| {
        set.annotation(**index).is_some_and(|it| it.present().iter().any(|bits| *bits != 0))
    };
    among.iter().filter(has_pixels).copied().collect()
}

/// The series of the images of a prepared set.
fn stacks(
    prepared: &PreparedSet,
    set: &LoaderSet,
    reporter: Reporter,
) -> Result<Arc<Stacks>, LoadError> {
    let known = prepared.slices()?;
    let stacks = Stacks::new((0..set.len()).map(|index| set.id(index)), &known)?;
    if stacks.lacking() > 0 {
        reporter.warn(&format!(
            "{} slices of the series are not in the set, and triage will show them: prepare the set \
             with all slices (--negatives all)",
            stacks.lacking()
        ));
    }
    Ok(Arc::new(stacks))
}

impl Images {
    /// Reads the images that a plan names, of those that `hold_out` takes.
    ///
    /// # Errors
    /// [`LoadError`] names the file and what to do.
    pub fn load(
        plan: &DataPlan,
        hold_out: &HoldOut,
        reporter: Reporter,
    ) -> Result<Self, LoadError> {
        let recipe = plan.input.recipe.clone();
        recipe.check()?;
        let mut known = Groups::default();
        for table in &plan.groups {
            known.merge(&Groups::from_table(table)?);
        }
        let (images, labels) = match &plan.source {
            Source::Prepared { folder, set } => {
                known.merge(&set.groups()?);
                if plan.from_files {
                    return Self::from_files(plan, set, recipe, &known);
                }
                (folder.clone(), set.labels())
            }
            Source::Folder { images, labels } => {
                if plan.from_files {
                    return Err(LoadError::FromFiles);
                }
                if PreparedSet::is_one(images) {
                    known.merge(&PreparedSet::open(images)?.groups()?);
                }
                (images.clone(), labels.clone())
            }
        };
        let read = |images: &Path, labels: &Path, wanted: &dyn Fn(&str) -> bool| {
            read_set(images, labels, plan, &recipe, wanted, reporter)
        };
        let mut set = read(&images, &labels, &|id: &str| hold_out.takes(id))?;
        let lacking = set.lacking_neighbours(recipe.reach());
        if lacking > 0 {
            reporter.warn(&format!(
                "{lacking} images lack a neighbour in the set, for which another slice stands in; \
                 prepare the set with all slices (--negatives all)"
            ));
        }
        let main = set.len();
        for extra in &plan.extra {
            let more = read(&extra.images, &extra.labels, &|_: &str| true)?;
            let images = extra.images.clone();
            set.append(more).map_err(|source| LoadError::Extra { images, source })?;
        }
        add_known(&mut set, plan, reporter)?;
        let groups = set.groups(&known);
        let is_prepared = matches!(plan.source, Source::Prepared { .. });
        let describes = plan.input.is_known && (is_prepared || !set.has_made_channels());
        Ok(Self { set: Arc::new(set).into(), groups, recipe, describes, main })
    }

    /// A prepared set of JPEGs that stays on disk.
    fn from_files(
        plan: &DataPlan,
        prepared: &PreparedSet,
        recipe: InputRecipe,
        known: &Groups,
    ) -> Result<Self, LoadError> {
        let has_more = !plan.annotations.is_empty() || plan.label_weights.is_some();
        if has_more || !plan.extra.is_empty() {
            return Err(LoadError::FromFiles);
        }
        let files = open_images(&prepared.images(), &prepared.labels(), plan)?;
        let set: LoaderSet = Arc::new(JpegSet::new(&files)?).into();
        let groups = known.clone().assign((0..set.len()).map(|index| set.id(index).to_owned()));
        let main = set.len();
        Ok(Self { set, groups, recipe, describes: plan.input.is_known, main })
    }

    /// What a plan trains and validates on, and its test images.
    ///
    /// # Errors
    /// [`LoadError`] if there are too few patients, or one is on two sides.
    pub fn split(
        &self,
        plan: &SplitPlan,
        reporter: Reporter,
    ) -> Result<(Split, Vec<usize>), LoadError> {
        divide(plan, &self.set, &self.groups, self.main, reporter)
    }
}
