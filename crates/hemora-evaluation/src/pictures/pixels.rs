//! Where the pixels of slices are, by the slices' ids.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use hemora_ct::{Fingerprint, InputRecipe, Plane, Slice, Window};
use hemora_io::{Reader, Source, list_sources, read_png};
use rayon::prelude::*;

use crate::{Cases, Tally};

/// Where the pixels of slices are, by the slices' ids.
#[derive(Debug, Default)]
pub struct Pixels {
    sources: HashMap<String, Source>,
    reader: Reader,
    warnings: Vec<String>,
}

/// A decoded slice.
#[derive(Debug, Clone)]
pub enum SliceImage {
    /// In HU.
    Hu(Slice),
    /// Windowed by whoever made the file, values 0–1.
    Windowed(Plane),
}

impl SliceImage {
    /// The input of a network for this slice alone: neighbours are the slice itself.
    pub fn input(&self, recipe: &InputRecipe) -> Vec<f32> {
        match self {
            Self::Hu(slice) => recipe.input(|_| slice),
            Self::Windowed(plane) => recipe.input_from_windowed(plane),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Hu(slice) => Fingerprint::of_slice(slice, Window::BRAIN),
            Self::Windowed(plane) => Fingerprint::of(plane),
        }
    }
}

impl Pixels {
    /// The slices that the index of `cases` knows, and those among `images` (files and folders) that
    /// are named after a slice. The index counts before them, and of two of one name the first.
    pub fn find(cases: &Cases, images: &[PathBuf]) -> Self {
        let mut sources = HashMap::new();
        for (id, facts) in cases.ids.iter().zip(cases.facts.iter().flatten()) {
            if let Some(facts) = facts {
                sources.insert(id.clone(), facts.source.clone());
            }
        }
        let wanted: HashSet<&str> = cases.ids.iter().map(String::as_str).collect();
        let list = list_sources(images);
        let mut warnings: Vec<String> =
            list.skipped.iter().map(|skip| format!("{}: {}", skip.source, skip.reason)).collect();
        let (mut given, mut repeated) = (HashSet::new(), Tally::default());
        for source in list.sources {
            let name = match &source {
                Source::Entry { name, .. } => Path::new(name),
                source => source.file(),
            };
            let stem = name.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !wanted.contains(stem) {
                continue;
            }
            if !given.insert(stem.to_owned()) {
                repeated.add(|| source.to_string());
            }
            sources.entry(stem.to_owned()).or_insert(source);
        }
        if repeated.count > 0 {
            warnings.push(format!(
                "{} images have the name of an earlier one, which counts: {repeated}",
                repeated.count
            ));
        }
        Self { sources, reader: Reader::default(), warnings }
    }

    /// Images that could not be listed, and those that another of their name stands before.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Fingerprint of each of `ids`; `None` where there are no pixels.
    pub fn fingerprints(&self, ids: &[String]) -> Vec<Option<Fingerprint>> {
        ids.par_iter().map(|id| Some(self.read(id).ok()?.fingerprint())).collect()
    }

    /// Reads a slice.
    ///
    /// # Errors
    /// Why there is none, in words for the sheet.
    pub fn read(&self, id: &str) -> Result<SliceImage, String> {
        let source =
            self.sources.get(id).ok_or("no file of this name was given, and no index has it")?;
        match source {
            Source::File(path) if path.extension().is_some_and(|end| end == "png") => {
                read_png(path).map(SliceImage::Windowed).map_err(|error| error.to_string())
            }
            source => self
                .reader
                .read_slice(source)
                .map(|(_, slice)| SliceImage::Hu(slice.into_upright()))
                .map_err(|error| error.to_string()),
        }
    }
}
