//! Pictures of the slices that a model mistook, for the contact sheet of an evaluation.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use hemora_ct::{Fingerprint, Label, Plane, Slice, Window};
use hemora_evaluation::{Cases, Evaluation, Mistake, MistakeKind};
use hemora_infer::LoadedModel;
use hemora_io::{Reader, Source, list_sources, read_png};
use hemora_metrics::Calibration;
use hemora_model::Model;
use hemora_report::{KeySlice, SheetPicture, SheetSection, SheetSlice};
use miette::{IntoDiagnostic, Result, WrapErr};
use rayon::prelude::*;

/// A larger difference between the table's probability and that of the model that draws the map is
/// pointed out: then the map explains another model's mistake.
const OTHER_MODEL: f64 = 0.02;

/// Where the pixels of slices are, by their ids.
#[derive(Debug, Default)]
pub struct Pixels(HashMap<String, Source>, Reader);

/// A decoded slice.
enum Image {
    /// In HU.
    Hu(Slice),
    /// Windowed by whoever made the file, values 0–1.
    Windowed(Plane),
}

impl Pixels {
    /// The slices that the index of `cases` knows, and those among `images` (files and folders) that
    /// are named after a slice.
    pub fn find(cases: &Cases, images: &[PathBuf]) -> Self {
        let mut found = HashMap::new();
        for (id, facts) in cases.ids.iter().zip(cases.facts.iter().flatten()) {
            if let Some(facts) = facts {
                found.insert(id.clone(), facts.source.clone());
            }
        }
        let wanted: HashMap<&str, ()> = cases.ids.iter().map(|id| (id.as_str(), ())).collect();
        for source in list_sources(images).sources {
            let name = match &source {
                Source::ZipEntry { name, .. } => Path::new(name),
                source => source.file(),
            };
            let stem = name.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if wanted.contains_key(stem) {
                found.insert(stem.to_owned(), source);
            }
        }
        Self(found, Reader::default())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each of `ids` looks like; `None` where there are no pixels.
    pub fn looks(&self, ids: &[String]) -> Vec<Option<Fingerprint>> {
        let look = |id: &String| match self.read(id).ok()? {
            Image::Hu(slice) => Some(Fingerprint::of(&slice.windowed(Window::BRAIN))),
            Image::Windowed(plane) => Some(Fingerprint::of(&plane)),
        };
        ids.par_iter().map(look).collect()
    }

    fn read(&self, id: &str) -> std::result::Result<Image, String> {
        let source = self.0.get(id).ok_or("no file of this name was given, and no index has it")?;
        match source {
            Source::File(path) if path.extension().is_some_and(|it| it == "png") => {
                read_png(path).map(Image::Windowed).map_err(|error| error.to_string())
            }
            source => self
                .1
                .read_slice(source)
                .map(|it| Image::Hu(it.1))
                .map_err(|error| error.to_string()),
        }
    }
}

/// A model that shows where it looked.
pub struct MapMaker(LoadedModel);

impl MapMaker {
    /// Loads the model's engines.
    ///
    /// # Errors
    /// A report of what an engine says.
    pub fn new(model: Model) -> Result<Self> {
        let loaded = LoadedModel::load(Default::default(), model, None);
        loaded.map(Self).into_diagnostic().wrap_err("no activation maps")
    }

    /// The six probabilities of an image, and the maps of `label` and of the leading subtype.
    fn look(&self, image: &Image, label: Label) -> Option<Look> {
        // Neighbours are not at hand: nothing is better than a map of another input.
        if self.0.reach() > 0 {
            return None;
        }
        let found = self.0.look(&Label::ALL, &|recipe| {
            Some(match image {
                Image::Hu(slice) => recipe.input(|_| slice),
                Image::Windowed(plane) => recipe.input_from_windowed(plane),
            })
        })?;
        let leading = Label::SUBTYPES.into_iter().max_by(|a, b| {
            found.probabilities[a.index()].total_cmp(&found.probabilities[b.index()])
        });
        let mut labels = vec![label];
        labels.extend(leading.filter(|leading| *leading != label));
        let map = |label: Label| Some((label, found.maps[label.index()].as_ref()?.plane.clone()));
        Some((found.probabilities, labels.into_iter().filter_map(map).collect()))
    }

    /// What to say if this is not the model of the predictions: its probability, unless it is near.
    fn other(&self, mistake: &Mistake, probability: f64) -> Option<String> {
        let calibrate = |calibration: &Calibration| {
            calibration.get(mistake.label).map_or(probability, |map| map.apply(probability))
        };
        let calibrated = self.0.model().claims().calibration.map_or(probability, calibrate);
        let near = |value: f64| (value - mistake.probability).abs() <= OTHER_MODEL;
        (!near(probability) && !near(calibrated)).then(|| {
            format!(
                "the model that drew the map gives {calibrated:.3}: it is not that of the table"
            )
        })
    }
}

/// The worst mistakes of an evaluation with their pictures, `most` of each kind.
pub fn sections(
    evaluation: &Evaluation,
    pixels: &Pixels,
    maps: Option<&MapMaker>,
    most: usize,
) -> Vec<SheetSection> {
    let kinds = [
        (MistakeKind::FalseNegative, "Positive slices with the lowest probability"),
        (MistakeKind::FalsePositive, "Negative slices with the highest probability"),
    ];
    kinds
        .into_iter()
        .map(|(kind, title)| {
            let mistakes: Vec<&Mistake> = evaluation
                .mistakes
                .iter()
                .filter(|mistake| mistake.kind == kind)
                .take(most)
                .collect();
            let slices = mistakes.into_par_iter().map(|mistake| slice(mistake, pixels, maps));
            SheetSection { title: title.to_owned(), slices: slices.collect() }
        })
        .collect()
}

fn slice(mistake: &Mistake, pixels: &Pixels, maps: Option<&MapMaker>) -> SheetSlice {
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
        let looked = maps.and_then(|maps| Some((maps, maps.look(&image, mistake.label)?)));
        let (mut drawn, mut other) = (Vec::new(), None);
        if let Some((maps, (probabilities, planes))) = looked {
            other = maps.other(mistake, probabilities[mistake.label.index()]);
            drawn = planes;
        }
        facts.extend(other);
        draw(&image, &drawn)
    });
    SheetSlice { id: mistake.id.clone(), facts, picture }
}

/// The six probabilities of an image, and maps by label.
type Look = ([f64; 6], Vec<(Label, Plane)>);

fn draw(image: &Image, maps: &[(Label, Plane)]) -> std::result::Result<SheetPicture, String> {
    let key =
        |slice: &Slice| KeySlice::draw("", "", "", slice, maps).map_err(|error| error.to_string());
    match image {
        Image::Hu(slice) => key(slice).map(SheetPicture::Windows),
        Image::Windowed(plane) => {
            // HU that the brain window shows as these grey levels.
            let window = Window::BRAIN;
            let hu = plane.values.iter().map(|value| window.low() + value * window.width);
            let slice = Slice::new(plane.rows, plane.columns, hu.collect(), None);
            key(&slice.map_err(|error| error.to_string())?).map(SheetPicture::AsStored)
        }
    }
}
