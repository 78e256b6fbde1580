//! Small files that a person wrote: inputs and augmentations.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use hemora_ct::{Channel, InputRecipe};
use hemora_data::Augment;

use super::ConfigError;

/// Largest of them, bytes.
const MOST: u64 = 1 << 16;

fn read(path: &Path) -> Result<String, ConfigError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_string(&mut text))
        .map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
    if text.len() as u64 > MOST {
        return Err(ConfigError::Large { path: path.to_owned(), most: MOST });
    }
    Ok(text)
}

/// An input by name, or of a TOML file with `channels`, for a network of `size` × `size` pixels.
///
/// # Errors
/// [`ConfigError`] names the file and the line.
pub(super) fn input(name: &str, size: usize) -> Result<InputRecipe, ConfigError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Channels {
        channels: Vec<Channel>,
    }
    if let Some(recipe) = InputRecipe::named(name, size) {
        return Ok(recipe);
    }
    let path = Path::new(name);
    let parse = |text: String| {
        let wrong = |source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) };
        toml::from_str::<Channels>(&text).map_err(wrong)
    };
    let Channels { channels } = read(path).and_then(parse).map_err(|source| {
        let names = InputRecipe::NAMES.join(", ");
        ConfigError::Input { input: name.to_owned(), names, source: Box::new(source) }
    })?;
    Ok(InputRecipe::of(size, channels))
}

/// An augmentation by name, or of a TOML file; `None` where nothing is changed.
///
/// # Errors
/// [`ConfigError`] names the file and the option.
pub(super) fn augmentation(name: &str) -> Result<Option<Augment>, ConfigError> {
    let augment = match Augment::named(name) {
        Some(augment) => augment,
        None => {
            let path = Path::new(name);
            let text = read(path).map_err(|source| {
                let names = Augment::NAMES.join(", ");
                ConfigError::Augment { augment: name.to_owned(), names, source: Box::new(source) }
            })?;
            let wrong = |source| ConfigError::AugmentFile {
                path: path.to_owned(),
                source: Box::new(source),
            };
            Augment::from_toml(&text).map_err(wrong)?
        }
    };
    Ok(Some(augment).filter(|augment| !augment.is_off()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_augmentation_of_a_file_is_the_default_with_what_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        let open = |text: &str| {
            std::fs::write(&path, text).unwrap();
            augmentation(path.to_str().unwrap()).map_err(|error| error.to_string())
        };
        let default = augmentation("default").unwrap().unwrap();
        assert_eq!(default, Augment::default());
        let blended = open("[blend]\nprobability = 0.5").unwrap().unwrap();
        assert_eq!(Augment { blend: default.blend, ..blended }, default);
        assert_eq!(open("flip = 0.25").unwrap().unwrap(), Augment { flip: 0.25, ..default });
        assert!(open("flip = 2.0").unwrap_err().contains("flip"));
        assert!(open("flop = 1.0").unwrap_err().contains("flop"));
        assert_eq!(open("base = \"none\"").unwrap(), None);
        assert_eq!(augmentation("none").unwrap(), None);
        assert_eq!(augmentation("winner").unwrap().unwrap().rotate_degrees, 30.0);
        let unknown = augmentation("winer").unwrap_err().to_string();
        assert!(unknown.contains("expected default, winner, none or a TOML file"), "{unknown}");
    }

    #[test]
    fn an_input_of_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.toml");
        std::fs::write(&path, "[[channels]]\nwindow = { level = 40, width = 80 }\n").unwrap();
        assert_eq!(input(path.to_str().unwrap(), 32).unwrap().channels.len(), 1);
        std::fs::write(&path, "channel = 3").unwrap();
        assert!(input(path.to_str().unwrap(), 32).unwrap_err().to_string().contains("channel"));
        let unknown = input("colour", 32).unwrap_err().to_string();
        assert!(unknown.contains("expected grey, windows, neighbours, both"), "{unknown}");
    }
}
