//! The sheet of the worst mistakes: each slice with what is known of it and where the model looked.

use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label, Slice, Window};
use hemora_metrics::Calibration;
use hemora_model::LabelMap;
use hemora_page::title;
use hemora_report::{SheetPicture, SheetSection, SheetSlice, SlicePicture, write_contact_sheet};
use rayon::prelude::*;

use super::{Pixels, SliceImage};
use crate::write::in_file;
use crate::{EvaluateError, Evaluation, Mistake, MistakeKind};

/// Name of the sheet's file.
const NAME: &str = "mistakes.html";

/// A larger difference between the table's probability and that of the model that draws the map is
/// pointed out: then the map explains another model's mistake.
const OTHER_MODEL: f64 = 0.02;

/// Probabilities of one slice in label order, and maps of where a model sees some labels.
pub type SliceView = ([f64; LABEL_COUNT], Vec<LabelMap>);

/// A model that shows where it looked.
pub struct SheetModel<'a> {
    /// Name and version.
    pub name: String,
    /// Its calibration.
    pub calibration: Option<&'a Calibration>,
    /// Probabilities of an image and maps of a label and the leading subtype; `None` where it
    /// cannot tell.
    pub view: &'a (dyn Fn(&SliceImage, Label) -> Option<SliceView> + Sync),
}

impl SheetModel<'_> {
    /// The words that this is not the model of the predictions, unless its probability is near.
    fn difference(&self, mistake: &Mistake, probability: f64) -> Option<String> {
        let map = self.calibration.and_then(|calibration| calibration.get(mistake.label));
        let calibrated = map.map_or(probability, |map| map.apply(probability));
        let near = |value: f64| (value - mistake.probability).abs() <= OTHER_MODEL;
        (!near(probability) && !near(calibrated)).then(|| {
            format!(
                "the model that drew the map gives {calibrated:.3}: it is not that of the table"
            )
        })
    }
}

/// Draws the `most` worst mistakes of each kind to `mistakes.html` in the folder `out`, and lets the
/// page of the evaluation point to it; nothing without mistakes or pixels.
///
/// # Errors
/// [`EvaluateError::Write`] names the file.
pub fn write_mistakes(
    out: &Path,
    evaluation: &mut Evaluation,
    pixels: &Pixels,
    model: Option<&SheetModel<'_>>,
    most: usize,
) -> Result<(), EvaluateError> {
    let Some(first) = evaluation.mistakes.first() else { return Ok(()) };
    if most == 0 || pixels.is_empty() {
        return Ok(());
    }
    let about = [
        format!(
            "{}: the worst mistakes for {}. This file shows images of patients: treat it as such.",
            evaluation.name,
            title(first.label).to_lowercase()
        ),
        match model {
            Some(model) => {
                format!("Maps show where {} sees a label, or what spoke for it.", model.name)
            }
            None => "Without --model there are no maps.".to_owned(),
        },
    ];
    let kinds = [
        (MistakeKind::FalseNegative, "Positive slices with the lowest probability"),
        (MistakeKind::FalsePositive, "Negative slices with the highest probability"),
    ];
    let sections = kinds.map(|(kind, title)| {
        let of_kind = evaluation.mistakes.iter().filter(|mistake| mistake.kind == kind);
        let mistakes: Vec<&Mistake> = of_kind.take(most).collect();
        let slices = mistakes.into_par_iter().map(|mistake| sheet_slice(mistake, pixels, model));
        SheetSection { title: title.to_owned(), slices: slices.collect() }
    });
    let path = out.join(NAME);
    let heading = format!("Mistakes of {}", evaluation.name);
    hemora_base::write_whole(&path, |file| write_contact_sheet(file, &heading, &about, &sections))
        .map_err(in_file(&path))?;
    evaluation.contact_sheet = Some(NAME.to_owned());
    Ok(())
}

fn sheet_slice(mistake: &Mistake, pixels: &Pixels, model: Option<&SheetModel<'_>>) -> SheetSlice {
    let truth: Vec<&str> = mistake.truth.iter().map(|label| label.name()).collect();
    let mut facts = vec![
        format!("{}: probability {:.3}", mistake.label, mistake.probability),
        match (truth.is_empty(), mistake.kind) {
            (false, _) => format!("labelled {}", truth.join(", ")),
            (true, MistakeKind::FalseNegative) => format!("labelled {}", mistake.label),
            (true, MistakeKind::FalsePositive) => "labelled as without hemorrhage".to_owned(),
        },
    ];
    facts.extend(mistake.group.as_ref().map(|group| format!("group {group}")));
    let picture = pixels.read(&mistake.id).and_then(|image| {
        let mut maps = Vec::new();
        if let Some(model) = model
            && let Some((probabilities, planes)) = (model.view)(&image, mistake.label)
        {
            facts.extend(model.difference(mistake, probabilities[mistake.label.index()]));
            maps = planes;
        }
        draw(&image, &maps)
    });
    SheetSlice { id: mistake.id.clone(), facts, picture }
}

fn draw(image: &SliceImage, maps: &[LabelMap]) -> Result<SheetPicture, String> {
    let key = |slice: &Slice| {
        SlicePicture::draw("", "", "", slice, maps).map_err(|error| error.to_string())
    };
    match image {
        SliceImage::Hu(slice) => key(slice).map(SheetPicture::Windows),
        SliceImage::Windowed(plane) => {
            // HU that the brain window shows as these grey levels.
            let window = Window::BRAIN;
            let hu = plane.values.iter().map(|value| window.low() + value * window.width);
            let slice = Slice::new(plane.rows, plane.columns, hu.collect(), None);
            key(&slice.map_err(|error| error.to_string())?).map(SheetPicture::AsStored)
        }
    }
}
