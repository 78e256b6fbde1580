//! Reading images, labels and groups into memory.

use std::path::Path;

use hemora_ct::InputRecipe;
use hemora_data::{ImageSet, InMemorySet, PreparedSet, WeightTable};

use super::{DataPlan, LoadError, Source};
use crate::output::Reporter;

/// The images of a folder that have labels and that `wanted` takes.
///
/// # Errors
/// [`LoadError`] names the file.
pub(super) fn read_set(
    images: &Path,
    labels: &Path,
    plan: &DataPlan,
    recipe: &InputRecipe,
    wanted: &dyn Fn(&str) -> bool,
    reporter: Reporter,
) -> Result<InMemorySet, LoadError> {
    let mut folder = images.to_owned();
    let mut working_size = plan.working_size;
    if PreparedSet::is_one(images) {
        let prepared = PreparedSet::open(images)?;
        if prepared.is_hu() {
            let bar = reporter.counter(0, "images read");
            let moved = |done, total| {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            };
            let set = InMemorySet::open_hu(images, working_size, &moved)?;
            bar.finish();
            name_skipped(&set, reporter);
            return Ok(set);
        }
        folder = prepared.images();
        if matches!(plan.source, Source::Prepared { .. }) {
            // As they are: what was made of them once more, inference would not know.
            working_size = prepared.recipe().size.unwrap_or(working_size);
        }
    }
    let mut files = open_images(&folder, labels, plan)?;
    let report = files.report();
    if report.labels.partial > 0 {
        let partial = report.labels.partial;
        let table = labels.display();
        reporter.log(&format!("{table}: of {partial} images some labels are not known"));
    }
    if !report.unlabelled.is_empty() || !report.without_image.is_empty() {
        reporter.warn(&format!(
            "{}: {} images have no labels, {} labels have no image; both are left out",
            images.display(),
            report.unlabelled.len(),
            report.without_image.len()
        ));
    }
    files.keep(wanted);
    if files.images().is_empty() {
        return Err(LoadError::NothingLeft(images.to_owned()));
    }
    let bar = reporter.counter(files.images().len() as u64, "images read");
    let set = files.load(recipe, working_size, &|done, _| bar.set_position(done as u64))?;
    bar.finish();
    name_skipped(&set, reporter);
    Ok(set)
}

/// The images of a folder with their labels, not yet decoded.
///
/// # Errors
/// [`LoadError`] names the file.
pub(super) fn open_images(
    folder: &Path,
    labels: &Path,
    plan: &DataPlan,
) -> Result<ImageSet, LoadError> {
    Ok(match plan.partial_labels {
        true => ImageSet::open_partial(folder, labels)?,
        false => ImageSet::open(folder, labels)?,
    })
}

/// Adds to the images of a set what a plan says of them beside their labels: annotations and weights.
///
/// # Errors
/// [`LoadError`] names the file and what to do.
pub(super) fn add_known(
    set: &mut InMemorySet,
    plan: &DataPlan,
    reporter: Reporter,
) -> Result<(), LoadError> {
    for folder in &plan.annotations {
        let report = set.annotate(folder)?;
        let (attached, others) = (report.attached, report.without_image.len());
        let (folder, said) = (folder.display(), "images have an annotation");
        let text = format!("{folder}: {attached} {said}, {others} annotations have no image");
        if attached == 0 { reporter.warn(&text) } else { reporter.log(&text) }
    }
    if let Some(path) = &plan.label_weights {
        let table = WeightTable::read(path)?;
        let named = (0..set.len()).filter(|index| table.weight(set.id(*index)).is_some()).count();
        let text = format!("{}: weighs {named} of {} images", path.display(), set.len());
        if named == 0 {
            reporter.warn(&text)
        } else {
            reporter.log(&text)
        }
        set.set_label_weights(|id| table.weight(id).unwrap_or(1.0));
    }
    Ok(())
}

fn name_skipped(set: &InMemorySet, reporter: Reporter) {
    for skipped in set.skipped().iter().take(10) {
        reporter.warn(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    if set.skipped().len() > 10 {
        reporter.warn(&format!("skipped {} more files", set.skipped().len() - 10));
    }
}
