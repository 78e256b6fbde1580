//! The recipe of a prepared set: what becomes of each slice, as TOML.

use std::path::{Path, PathBuf};

use hemora_ct::{Channel, FrequencyError, FrequencyScale, InputRecipe, Kept, Preparation, Window};
use serde::{Deserialize, Serialize};

/// Longest recipe file, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What becomes of each slice of a set. The same recipe and slices always give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareRecipe {
    /// Name, for people.
    pub name: String,
    /// Slices with a smaller part of pixels within 0–80 HU are left out
    /// (docs/references.md#slice-preparation, step 4).
    #[serde(default)]
    pub min_in_window: f64,
    /// Slices of other sizes are zoomed to this height and width first, pixels; `None` leaves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvas: Option<usize>,
    /// What is kept of the slice.
    #[serde(default)]
    pub crop: Crop,
    /// Height and width of the result, pixels; `None` keeps those of the crop (HU alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// What is written.
    pub output: Output,
}

/// What is kept of a slice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// All of it.
    #[default]
    Whole,
    /// A square about the brain (docs/references.md#slice-preparation, steps 7–9).
    Brain,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase", deny_unknown_fields)]
pub enum Output {
    /// One JPEG a slice, `images/ID.jpg`.
    Jpeg {
        /// Quality, 1 to 100.
        quality: u8,
        /// Whether colour differences have half the resolution (4:2:0), as Pillow writes them.
        #[serde(default)]
        subsample: bool,
        /// Images of which the frequency bins are counted.
        #[serde(default = "default_bin_images")]
        bin_images: usize,
        /// Frequency bins, HU, ascending; empty: counted in the set.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bins: Vec<f32>,
        /// Grey: one channel; red, green and blue: three.
        channels: Vec<PreparedChannel>,
    },
    /// Whole HU as 16-bit numbers, many slices a file, `shards/N.hu`.
    Hu {
        /// Slices a file.
        #[serde(default = "default_shard_slices")]
        shard_slices: usize,
    },
}

/// One channel of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedChannel {
    /// The window; `None`: the frequency scale (docs/references.md#slice-preparation, step 11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Which slice of the series: 0 this one, −1 the one below, 1 the one above; at the ends of
    /// the series the end slice.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: i32,
}

fn default_bin_images() -> usize {
    64
}

fn default_shard_slices() -> usize {
    256
}

fn is_zero(offset: &i32) -> bool {
    *offset == 0
}

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareRecipeError {
    /// Neither a built-in recipe nor a file.
    #[error(
        "no recipe `{0}`; expected {built_in} or the path of a TOML file",
        built_in = PrepareRecipe::BUILT_IN.join(", ")
    )]
    Unknown(String),
    /// The file cannot be read.
    #[error("{}: cannot read the recipe: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The file is no recipe.
    #[error("{}: not a recipe: {reason}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        reason: String,
    },
    /// A value out of bounds.
    #[error("`{name}` is {found}; expected {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The frequency bins are unusable.
    #[error(transparent)]
    Bins(#[from] FrequencyError),
}

impl PrepareRecipe {
    /// Names of the recipes that are built in.
    pub const BUILT_IN: [&str; 5] =
        ["howard", "howard-100-254", "winner", "winner-neighbours", "hu"];

    /// A built-in recipe (docs/references.md#slice-preparation and #winner), or `None`.
    ///
    /// - `howard`: the seed study's: the brain, 256 × 256; red brain, green subdural (80/200), blue
    ///   the frequency scale. `howard-100-254` has the other subdural window in use.
    /// - `winner`: the whole slice in three windows, 40/80, 80/200 and 600/2800.
    /// - `winner-neighbours`: three neighbouring slices in the brain window.
    /// - `hu`: the whole slice in HU.
    pub fn built_in(name: &str) -> Option<Self> {
        let window = |window| PreparedChannel { window: Some(window), offset: 0 };
        let frequency = PreparedChannel { window: None, offset: 0 };
        let neighbour = |offset| PreparedChannel { window: Some(Window::BRAIN), offset };
        let howard = |subdural| Self {
            name: name.to_owned(),
            min_in_window: 0.02,
            canvas: Some(512),
            crop: Crop::Brain,
            size: Some(256),
            output: Output::Jpeg {
                quality: 90,
                subsample: true,
                bin_images: default_bin_images(),
                bins: Vec::new(),
                channels: vec![window(Window::BRAIN), window(subdural), frequency],
            },
        };
        let winner = |channels| Self {
            name: name.to_owned(),
            min_in_window: 0.0,
            canvas: Some(512),
            crop: Crop::Whole,
            size: Some(256),
            output: Output::Jpeg {
                quality: 95,
                subsample: false,
                bin_images: default_bin_images(),
                bins: Vec::new(),
                channels,
            },
        };
        match name {
            "howard" => Some(howard(Window::SUBDURAL)),
            "howard-100-254" => Some(howard(Window { level: 100.0, width: 254.0 })),
            "winner" => {
                let windows = [Window::BRAIN, Window::SUBDURAL, Window::BONE];
                Some(winner(windows.map(window).to_vec()))
            }
            "winner-neighbours" => Some(winner([-1, 0, 1].map(neighbour).to_vec())),
            "hu" => Some(Self {
                name: name.to_owned(),
                min_in_window: 0.0,
                canvas: Some(512),
                crop: Crop::Whole,
                size: None,
                output: Output::Hu { shard_slices: default_shard_slices() },
            }),
            _ => None,
        }
    }

    /// A built-in recipe by its name, or else the TOML file of that path.
    ///
    /// # Errors
    /// [`PrepareRecipeError`] names the file or the value.
    pub fn open(name: &str) -> Result<Self, PrepareRecipeError> {
        if let Some(recipe) = Self::built_in(name) {
            return Ok(recipe);
        }
        if !name.contains(['.', '/']) {
            return Err(PrepareRecipeError::Unknown(name.to_owned()));
        }
        Self::read(Path::new(name))
    }

    /// The recipe of a TOML file.
    ///
    /// # Errors
    /// [`PrepareRecipeError`] names the file or the value.
    pub fn read(path: &Path) -> Result<Self, PrepareRecipeError> {
        let read = |source| PrepareRecipeError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read)?.len() > MAX_BYTES {
            let reason = format!("the file has more than {MAX_BYTES} bytes");
            return Err(PrepareRecipeError::Toml { path: path.to_owned(), reason });
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        let recipe: Self = toml::from_str(&text).map_err(|error| PrepareRecipeError::Toml {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Checks values that came from a file.
    ///
    /// # Errors
    /// [`PrepareRecipeError`] names what is out of bounds.
    pub fn check(&self) -> Result<(), PrepareRecipeError> {
        let bad = |name, found: String, expected| {
            Err(PrepareRecipeError::Value { name, found, expected })
        };
        if !(0.0..1.0).contains(&self.min_in_window) {
            return bad("min_in_window", self.min_in_window.to_string(), "0 to below 1");
        }
        for (name, side) in [("canvas", self.canvas), ("size", self.size)] {
            if let Some(side) = side.filter(|side| !(16..=4096).contains(side)) {
                return bad(name, side.to_string(), "16 to 4096 pixels");
            }
        }
        let (quality, bin_images, bins, channels) = match &self.output {
            Output::Hu { shard_slices } if (1..=1 << 16).contains(shard_slices) => return Ok(()),
            Output::Hu { shard_slices } => {
                return bad("output.shard_slices", shard_slices.to_string(), "1 to 65536");
            }
            Output::Jpeg { quality, bin_images, bins, channels, .. } => {
                (*quality, *bin_images, bins, channels)
            }
        };
        if self.size.is_none() {
            return bad("size", "absent".to_owned(), "a number of pixels, as JPEGs have one size");
        }
        if !(1..=100).contains(&quality) {
            return bad("output.quality", quality.to_string(), "1 to 100");
        }
        if !(1..=4096).contains(&bin_images) {
            return bad("output.bin_images", bin_images.to_string(), "1 to 4096");
        }
        if !matches!(channels.len(), 1 | 3) {
            return bad("output.channels", channels.len().to_string(), "1 or 3 channels");
        }
        for channel in channels {
            if let Some(Window { level, width }) = channel.window
                && !(level.is_finite() && width.is_finite() && width > 0.0)
            {
                let found = format!("{level}/{width}");
                return bad("output.channels.window", found, "a finite level, a width above 0");
            }
            if channel.offset.unsigned_abs() > 32 {
                let found = channel.offset.to_string();
                return bad("output.channels.offset", found, "−32 to 32 slices");
            }
        }
        if !bins.is_empty() {
            FrequencyScale::new(bins.clone())?;
        }
        Ok(())
    }

    /// What this recipe does to a slice before it is windowed; of a set in HU the planes are loaded
    /// at `working_size` pixels. `None` if it cuts out the brain, which inference does not.
    pub fn preparation(&self, working_size: usize) -> Option<Preparation> {
        let kept = match self.output {
            Output::Jpeg { .. } => Kept::Grey,
            Output::Hu { .. } => Kept::Hu { size: working_size },
        };
        let (canvas, size) = (self.canvas, self.size);
        (self.crop == Crop::Whole).then_some(Preparation { canvas, size, kept })
    }

    /// The network's input that the channels of a JPEG are, at `size` pixels; `None` for a set in
    /// HU, of which any input can be made, and where a channel has the frequency scale or the brain
    /// is cut out, which no [`InputRecipe`] describes.
    pub fn input(&self, size: usize) -> Option<InputRecipe> {
        let Output::Jpeg { channels, .. } = &self.output else { return None };
        let channel = |channel: &PreparedChannel| {
            Some(Channel { window: channel.window?, offset: channel.offset })
        };
        let channels: Option<Vec<Channel>> = channels.iter().map(channel).collect();
        let prepare = Some(self.preparation(size)?);
        Some(InputRecipe { prepare, ..InputRecipe::of(size, channels?) })
    }

    /// Whether frequency bins must be counted before slices can be rendered.
    pub(crate) fn lacks_bins(&self) -> bool {
        match &self.output {
            Output::Jpeg { bins, channels, .. } => {
                bins.is_empty() && channels.iter().any(|channel| channel.window.is_none())
            }
            Output::Hu { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_are_usable_and_survive_toml() {
        for name in PrepareRecipe::BUILT_IN {
            let recipe = PrepareRecipe::built_in(name).unwrap();
            recipe.check().unwrap();
            let text = toml::to_string(&recipe).unwrap();
            assert_eq!(toml::from_str::<PrepareRecipe>(&text).unwrap(), recipe, "{text}");
        }
        assert!(PrepareRecipe::open("howrad").unwrap_err().to_string().contains("howard"));
    }

    #[test]
    fn recipes_from_files_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        let open = |text: &str| {
            std::fs::write(&path, text).unwrap();
            PrepareRecipe::open(path.to_str().unwrap()).map_err(|error| error.to_string())
        };
        let head = "name = \"own\"\nsize = 64\n";
        let output = "[output]\nformat = \"jpeg\"\nquality = 80\n";
        let channel = "[[output.channels]]\nwindow = { level = 40, width = 80 }\n";
        let good = open(&format!("{head}{output}{channel}")).unwrap();
        assert_eq!((good.crop, good.canvas), (Crop::Whole, None));
        for (text, expected) in [
            (format!("{head}{output}"), "channels"),
            (format!("{head}{output}{channel}{channel}"), "1 or 3"),
            (format!("{head}crob = \"brain\"\n{output}{channel}"), "crob"),
            (format!("name = \"own\"\n{output}{channel}"), "`size`"),
            (format!("{head}{output}{channel}offset = 99\n"), "offset"),
            (format!("{head}{output}bins = [1.0]\n{channel}"), "frequency bins"),
            (format!("{head}[output]\nformat = \"hu\"\nshard_slices = 0\n"), "shard_slices"),
        ] {
            let error = open(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
