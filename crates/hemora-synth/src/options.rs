//! What to image and how.

use hemora_ct::Label;

use crate::SynthError;

/// Pixels of one study, at most.
const MOST_PIXELS: f64 = 3e8;

/// Which bleeds a phantom has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bleeds {
    /// Exactly these subtypes; an empty list is a head without hemorrhage.
    These(Vec<Label>),
    /// Drawn from the seed: hemorrhage in 45 % of heads, most often of one subtype.
    Random,
}

impl Bleeds {
    /// No hemorrhage.
    pub fn none() -> Self {
        Bleeds::These(Vec::new())
    }
}

/// How a phantom is imaged.
#[derive(Debug, Clone, PartialEq)]
pub struct PhantomOptions {
    /// Height of the images in pixels, 16 to 2048.
    pub rows: usize,
    /// Width of the images in pixels, 16 to 2048.
    pub columns: usize,
    /// Pixel spacing, mm, 0.1 to 16.
    pub spacing: f64,
    /// How much of the head one slice averages, mm, 0.1 to 20.
    pub slice_thickness: f64,
    /// Distance from slice to slice along the normal, mm, 0.1 to 20.
    pub slice_spacing: f64,
    /// Gantry tilt, degrees, −30 to 30; positive tips the front of the slices to the head.
    pub tilt_degrees: f64,
    /// Which bleeds the head has.
    pub bleeds: Bleeds,
    /// The area, mm², from which on a bleed counts as visible in a slice.
    pub minimal_area: f64,
}

impl Default for PhantomOptions {
    /// 512×512 pixels of 0.46 mm, slices of 5 mm without gaps, no tilt, random bleeds.
    fn default() -> Self {
        Self {
            rows: 512,
            columns: 512,
            spacing: 0.46,
            slice_thickness: 5.0,
            slice_spacing: 5.0,
            tilt_degrees: 0.0,
            bleeds: Bleeds::Random,
            minimal_area: 20.0,
        }
    }
}

impl PhantomOptions {
    /// Square images of `size` pixels over the same field of view.
    #[must_use]
    pub fn with_size(self, size: usize) -> Self {
        let field = self.spacing * self.columns as f64;
        Self { rows: size, columns: size, spacing: field / size.max(1) as f64, ..self }
    }

    /// Checks that the options can be imaged.
    ///
    /// # Errors
    /// [`SynthError::Option`] names the option that cannot.
    pub fn check(&self) -> Result<(), SynthError> {
        let refuse =
            |name, found: String, expected| Err(SynthError::Option { name, found, expected });
        for (name, size) in [("rows", self.rows), ("columns", self.columns)] {
            if !(16..=2048).contains(&size) {
                return refuse(name, size.to_string(), "16 to 2048 pixels");
            }
        }
        for (name, value, low, high, expected) in [
            ("pixel spacing", self.spacing, 0.1, 16.0, "0.1 to 16 mm"),
            ("slice thickness", self.slice_thickness, 0.1, 20.0, "0.1 to 20 mm"),
            ("slice spacing", self.slice_spacing, 0.1, 20.0, "0.1 to 20 mm"),
            ("gantry tilt", self.tilt_degrees, -30.0, 30.0, "-30 to 30 degrees"),
            ("minimal area", self.minimal_area, 0.0, 1e5, "0 to 100000 mm²"),
        ] {
            if !(low..=high).contains(&value) {
                return refuse(name, value.to_string(), expected);
            }
        }
        // About 170 mm are covered; the limit keeps a study below some gigabytes.
        let pixels = self.rows as f64 * self.columns as f64 * 170.0 / self.slice_spacing;
        if pixels > MOST_PIXELS {
            let found = format!("{pixels:.0}");
            return refuse("number of pixels of the study", found, "at most 300 million");
        }
        match &self.bleeds {
            Bleeds::These(labels) if labels.contains(&Label::Any) => {
                refuse("bleed", Label::Any.to_string(), "one of the five subtypes")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_be_imaged_are_named() {
        let good = PhantomOptions::default();
        good.check().unwrap();
        let named = |options: PhantomOptions| options.check().unwrap_err().to_string();
        assert!(named(PhantomOptions { rows: 1 << 20, ..good.clone() }).starts_with("rows is"));
        assert!(
            named(PhantomOptions { slice_spacing: 0.0, ..good.clone() })
                .contains("slice spacing is 0")
        );
        assert!(
            named(PhantomOptions { spacing: f64::NAN, ..good.clone() }).contains("pixel spacing")
        );
        let any = Bleeds::These(vec![Label::Subdural, Label::Any]);
        assert!(named(PhantomOptions { bleeds: any, ..good }).contains("bleed is any"));
    }

    #[test]
    fn another_size_keeps_the_field_of_view() {
        let small = PhantomOptions::default().with_size(128);
        assert_eq!((small.rows, small.columns), (128, 128));
        assert!((small.spacing * 128.0 - 0.46 * 512.0).abs() < 1e-9);
    }
}
