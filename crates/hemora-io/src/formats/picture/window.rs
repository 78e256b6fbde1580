//! The window that a picture was made with, as its user declares it.

use std::fmt;
use std::str::FromStr;

use hemora_ct::Window;

/// Level and width in whole HU: what a picture's black and white stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureWindow {
    level: i16,
    width: u16,
}

/// A text that declares no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no window; expected LEVEL/WIDTH in whole HU, such as 40/80, with a level of −2000 to \
     5000 and a width of 1 to 10000"
)]
pub struct PictureWindowError(String);

impl PictureWindow {
    /// Width, HU, 1 to 10000.
    pub fn width(self) -> u16 {
        self.width
    }

    /// What black stands for, HU: this or less.
    pub fn lowest(self) -> f32 {
        f32::from(self.level) - f32::from(self.width) / 2.0
    }

    /// What white stands for, HU: this or more.
    pub fn highest(self) -> f32 {
        f32::from(self.level) + f32::from(self.width) / 2.0
    }
}

impl FromStr for PictureWindow {
    type Err = PictureWindowError;

    /// Reads `LEVEL/WIDTH`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(level, width)| {
            Some((level.trim().parse::<i16>().ok()?, width.trim().parse::<u16>().ok()?))
        });
        match numbers {
            Some((level @ -2000..=5000, width @ 1..=10_000)) => Ok(Self { level, width }),
            _ => Err(PictureWindowError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for PictureWindow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.level, self.width)
    }
}

impl From<PictureWindow> for Window {
    fn from(window: PictureWindow) -> Self {
        Self { level: window.level.into(), width: window.width.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_whole_and_bounded() {
        let window: PictureWindow = "40/80".parse().unwrap();
        assert_eq!((window.lowest(), window.highest()), (0.0, 80.0));
        assert_eq!(window.to_string(), "40/80");
        assert_eq!("-600/1500".parse::<PictureWindow>().unwrap().lowest(), -1350.0);
        for wrong in ["", "40", "40/0", "40/-80", "brain", "40/80/1", "9999/80", "40.5/80"] {
            let error = wrong.parse::<PictureWindow>().unwrap_err().to_string();
            assert!(error.contains("LEVEL/WIDTH"), "{error}");
        }
    }
}
