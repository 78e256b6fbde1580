//! A recipe and its cost in words, before it runs.

use std::fmt;

use crate::engine::duration_text;
use crate::recipe::{Cost, Recipe, RecipeError};

impl Recipe {
    /// The steps in lines, and how many an earlier run completed.
    ///
    /// # Errors
    /// As [`Recipe::complete`].
    pub fn plan_text(&self) -> Result<String, RecipeError> {
        let complete = self.complete()?;
        let mut lines = vec![format!("{} steps, {complete} of them complete:", self.steps().len())];
        let numbered = self.steps().iter().enumerate();
        lines.extend(numbered.map(|(index, step)| format!("  {}. {}", index + 1, step.title)));
        Ok(lines.join("\n"))
    }
}

/// What everything costs, complete steps too.
impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gigabytes = |bytes: f64| format!("{:.2} GB", bytes / 1e9);
        writeln!(
            formatter,
            "in all: {} slices, {} training steps, {:.0} images trained on and {:.0} predicted; about {} \
             on disk, {} of images in memory",
            self.slices,
            self.steps,
            self.trained,
            self.predicted,
            gigabytes(self.disk),
            gigabytes(self.memory)
        )?;
        match (self.network_seconds, self.series_seconds, self.seconds(), &self.device) {
            (Some(slices), Some(series), Some(seconds), Some(device)) => write!(
                formatter,
                "by a short timing here ({device}): {} to read the images, {} in networks of slices, at \
                 most {} in networks of series, {} in all",
                duration_text(self.data_seconds),
                duration_text(slices),
                duration_text(series),
                duration_text(seconds)
            ),
            _ => {
                let reason = self.untimed.as_ref();
                let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
                write!(
                    formatter,
                    "hemora-train could not be timed here{reason}: how long it takes is not known"
                )
            }
        }
    }
}
