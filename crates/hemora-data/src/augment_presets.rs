//! The named augmentations, and files that change one of them.

use crate::augment::{Augment, AugmentError};
use crate::blend::Blend;
use crate::draw::Draw;

impl Default for Augment {
    /// A moderate choice for head CT: what a second real scanner might have done, not more.
    fn default() -> Self {
        Self {
            flip: 0.5,
            rotate_degrees: 20.0,
            scale: 0.15,
            shift: 0.06,
            brightness: 0.06,
            contrast: 0.15,
            gamma: 0.15,
            noise: 0.02,
            blur: 0.15,
            erase: 0.15,
            ..Self::off()
        }
    }
}

/// Why a file of an augmentation cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentFileError {
    /// No TOML, an unknown option, or a value of the wrong type.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A base that is no preset.
    #[error("`base` is {0}; expected \"default\", \"winner\" or \"none\"")]
    Base(String),
    /// An option out of bounds.
    #[error(transparent)]
    Bounds(#[from] AugmentError),
}

impl Augment {
    /// Names of the presets.
    pub const NAMES: [&str; 3] = ["default", "winner", "none"];

    /// A preset by name; `none` changes nothing.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::default()),
            "winner" => Some(Self::winner()),
            "none" => Some(Self::off()),
            _ => None,
        }
    }

    /// Reads options in TOML over those of the preset that the key `base` names, else over the
    /// default: a text with nothing but a section `[blend]` is the default with blended bleeds, one
    /// with `[draw]` that with drawn ones.
    ///
    /// # Errors
    /// [`AugmentFileError`] names the option and what was expected.
    pub fn from_toml(text: &str) -> Result<Self, AugmentFileError> {
        let mut options: toml::Table = toml::from_str(text)?;
        let base = match options.remove("base") {
            None => Self::default(),
            Some(toml::Value::String(name)) => {
                Self::named(&name).ok_or_else(|| AugmentFileError::Base(format!("\"{name}\"")))?
            }
            Some(other) => return Err(AugmentFileError::Base(other.to_string())),
        };
        let mut merged =
            toml::Table::try_from(base).expect("options are numbers and lists of them");
        for (name, value) in options {
            match (merged.get_mut(&name), value) {
                (Some(toml::Value::Table(section)), toml::Value::Table(given)) => {
                    section.extend(given);
                }
                (_, value) => drop(merged.insert(name, value)),
            }
        }
        let augment: Self = merged.try_into()?;
        augment.check()?;
        Ok(augment)
    }

    /// Whether nothing is changed.
    pub fn is_off(&self) -> bool {
        *self == Self::off()
    }

    /// Everything turned off; the ranges behind the probabilities keep usable values.
    pub fn off() -> Self {
        Self {
            flip: 0.0,
            rotate_degrees: 0.0,
            scale: 0.0,
            shift: 0.0,
            shear_degrees: 0.0,
            crop: 0.0,
            // The winner's range (docs/references.md#winner).
            crop_side: [0.6, 0.99],
            window_level: 0.0,
            window_width: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            gamma: 0.0,
            noise: 0.0,
            blur: 0.0,
            blur_sigma: 1.0,
            erase: 0.0,
            // Zhong et al. 2020, "Random Erasing Data Augmentation", with a smaller largest area.
            erase_area: [0.02, 0.2],
            border: 0.0,
            border_width: 0.1,
            swap_channels: 0.0,
            blend: Blend::default(),
            draw: Draw::default(),
        }
    }

    /// That of the competition's winner (docs/references.md#winner): mirror images, shift and scale ±.1, rotation
    /// ±30°, random erasing, crops of .6 to .99 of the side, channels in the other order. The
    /// ranges are the record's; it does not tell the probabilities, of which these are ours.
    pub fn winner() -> Self {
        Self {
            flip: 0.5,
            rotate_degrees: 30.0,
            scale: 0.1,
            shift: 0.1,
            crop: 0.5,
            crop_side: [0.6, 0.99],
            erase: 0.5,
            swap_channels: 0.5,
            ..Self::off()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_a_preset_by_what_it_names_alone() {
        let read = |text: &str| Augment::from_toml(text).unwrap();
        assert_eq!(read(""), Augment::default());
        assert_eq!(read("base = \"default\""), Augment::default());
        assert_eq!(read("base = \"winner\""), Augment::winner());
        assert_eq!(read("base = \"none\""), Augment::off());
        let blended = read("[blend]\nprobability = 0.25");
        assert_eq!(blended.blend.probability, 0.25);
        assert_eq!(Augment { blend: Blend::default(), ..blended }, Augment::default());
        let drawn = read("[draw]\nprobability = 0.5\nbleed = 0.25");
        let draw = Draw { probability: 0.5, bleed: 0.25, ..Draw::default() };
        assert_eq!(drawn, Augment { draw, ..Augment::default() });
        let one = read("base = \"none\"\nflip = 0.25");
        assert_eq!(one, Augment { flip: 0.25, ..Augment::off() });
        let wrong = |text: &str| Augment::from_toml(text).unwrap_err().to_string();
        assert!(wrong("base = \"winer\"").contains("winer"));
        assert!(wrong("base = 3").contains("`base` is 3"));
        assert!(wrong("flop = 1.0").contains("flop"));
        assert!(wrong("flip = 2.0").contains("flip"));
        assert!(wrong("[blend]\nprobability = 2.0").contains("probability"));
        assert!(wrong("[draw]\nlook_alike = 2.0").contains("draw.look_alike"));
        assert!(wrong("[draw]\nlabel_weight = -1.0").contains("draw.label_weight"));
        for name in Augment::NAMES {
            Augment::named(name).unwrap().check().unwrap();
        }
    }
}
