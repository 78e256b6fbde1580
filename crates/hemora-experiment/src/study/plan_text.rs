//! A study and its cells in words, before and while it runs.

use std::fmt::Write;

use hemora_ct::Label;

use crate::engine::duration_text;
use crate::study::{CellResult, DrawResult, Outcome, Study, StudyError};

impl Study {
    /// What will run and what it costs on so many cores, in lines.
    ///
    /// # Errors
    /// [`StudyError::Option`] if a network cannot be built at the size.
    pub fn plan_text(&self, cores: usize) -> Result<String, StudyError> {
        let set = self.set().summary();
        let types: Vec<String> = (0..)
            .zip(&set.by_types)
            .map(|(types, count): (usize, _)| format!("{types}: {count}"))
            .collect();
        let mut text = format!(
            "{}: {} images\n  images by number of hemorrhage types: {}\n  {} known patients or series; \
             of {} images neither is known; positions of {}\n",
            set.name,
            set.images,
            types.join(", "),
            set.known_groups,
            set.unknown_patients,
            set.with_z
        );
        for draw in self.draws() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {}", draw_text(draw));
        }
        let cost = self.cost()?;
        let _ = write!(
            text,
            "{} cells, {:.1} million million multiply-additions: about {} on {cores} cores if no GPU is \
             found and no cell is finished",
            cost.cells,
            cost.multiply_adds / 1e12,
            duration_text(cost.seconds(cores))
        );
        Ok(text)
    }
}

fn draw_text(draw: &DrawResult) -> String {
    let parts: Vec<String> = draw
        .parts
        .iter()
        .map(|part| format!("{} {} ({} positive)", part.part, part.images, part.any()))
        .collect();
    let mut line = format!("{}: {}", draw.draw.name(), parts.join(", "));
    if draw.shared_patients > 0 {
        line += &format!("; {} patients in several parts", draw.shared_patients);
    }
    if let Some(reason) = &draw.impossible {
        line += &format!("; cannot be run: {reason}");
    }
    line
}

impl CellResult {
    /// What came of the cell, in one line unless it failed.
    pub fn outcome_text(&self) -> String {
        let measured = match &self.outcome {
            Outcome::Impossible(reason) => return format!("cannot be run: {reason}"),
            Outcome::Failed(reason) => return format!("FAILED: {reason}"),
            Outcome::Measured(measured) => measured,
        };
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
        let figures: Vec<String> = measured
            .figures
            .iter()
            .map(|figures| match figures.label {
                Label::Any => format!(
                    "accuracy {}, MSE {}, AUC {}",
                    number(figures.accuracy.value),
                    number(figures.mse.value),
                    number(figures.auc.value)
                ),
                label => format!("{label} {}", number(figures.auc.value)),
            })
            .collect();
        format!("{} in {}", figures.join(", "), duration_text(measured.seconds))
    }
}

#[cfg(test)]
mod tests {
    use crate::study::Outcome;
    use crate::study::testing::document;

    #[test]
    fn a_cell_is_one_line() {
        let document = document(|_| ());
        let cell = &document.cells[0];
        let text = cell.outcome_text();
        assert!(text.starts_with("accuracy ") && text.ends_with(" in 10 s"), "{text}");
        let mut failed = cell.clone();
        failed.outcome = Outcome::Failed("no memory".to_owned());
        assert_eq!(failed.outcome_text(), "FAILED: no memory");
    }
}
