//! What a reader of the results must know first.

use hemora_ct::Label;
use hemora_page::count;

use crate::study::document::{CellResult, DrawResult, Outcome, StudyDocument};
use crate::study::selection::FEW_POSITIVES;
use crate::study::{Question, SplitKind};

/// The warnings of a study, the gravest first.
pub(crate) fn warnings(document: &StudyDocument) -> Vec<String> {
    let mut warnings = Vec::new();
    let run = document.cells.len() as u64;
    if run < document.planned {
        warnings.push(format!("{run} of {} cells were run so far.", document.planned));
    }
    for cell in &document.cells {
        if let Outcome::Failed(reason) = &cell.outcome {
            let first = reason.lines().next().unwrap_or_default();
            warnings.push(format!("{} failed: {first}", cell.name()));
        }
    }
    let unknown = document.set.unknown_patients;
    if unknown > 0 {
        warnings.push(format!(
            "Of {unknown} of {} images neither patient nor series is known: each counts as a \
             patient of its own. A split by patient may still part such a patient's images, and \
             its figures may then be too good as well.",
            document.set.images
        ));
    }
    warnings.extend(document.draws.iter().filter_map(shared));
    warnings.extend(document.draws.iter().filter_map(few));
    warnings.extend(document.draws.iter().filter_map(rare_subtypes));
    warnings.extend(no_better_than_a_coin(document));
    for cell in &document.cells {
        if let Outcome::Measured(measured) = &cell.outcome
            && measured.missing > 0
        {
            let missing = measured.missing;
            warnings.push(format!("{}: {missing} test images cannot be read.", cell.name()));
        }
    }
    warnings
}

fn name(draw: &DrawResult) -> String {
    let repeat = match draw.draw.repeat {
        0 => String::new(),
        repeat => format!(", repeat {}", repeat + 1),
    };
    let what = match draw.draw.question {
        Question::AtLeast(types) => format!("{types}+ types"),
        Question::Subtypes => "Subtypes".to_owned(),
    };
    format!("{what}, split by {}{repeat}", draw.draw.split.name())
}

fn shared(draw: &DrawResult) -> Option<String> {
    (draw.draw.split == SplitKind::Image && draw.shared_patients > 0).then(|| {
        let patients =
            count(draw.shared_patients as usize, "known patient has", "known patients have");
        format!(
            "{}: {patients} images in several parts, as asked for; the figures are too good.",
            name(draw)
        )
    })
}

fn few(draw: &DrawResult) -> Option<String> {
    if let Some(reason) = &draw.impossible {
        return Some(format!("{}: cannot be run: {reason}.", name(draw)));
    }
    if draw.draw.question == Question::Subtypes {
        return None;
    }
    let positives = draw.parts.get(2)?.any();
    (positives < FEW_POSITIVES).then(|| {
        format!(
            "{}: {positives} positive test images are too few to judge by (fewer than \
             {FEW_POSITIVES}); read the intervals, not the figures.",
            name(draw)
        )
    })
}

fn rare_subtypes(draw: &DrawResult) -> Option<String> {
    if draw.draw.question != Question::Subtypes {
        return None;
    }
    let test = draw.parts.get(2)?;
    let rare: Vec<String> = Label::SUBTYPES
        .into_iter()
        .map(|label| (label, test.positives.get(&label).copied().unwrap_or(0)))
        .filter(|(_, positives)| *positives < FEW_POSITIVES)
        .map(|(label, positives)| format!("{label} ({positives})"))
        .collect();
    (!rare.is_empty()).then(|| {
        format!(
            "{}: too few positive test images to judge by (fewer than {FEW_POSITIVES}): {}.",
            name(draw),
            rare.join(", ")
        )
    })
}

/// Networks that did not show to have learned anything, in one line.
fn no_better_than_a_coin(document: &StudyDocument) -> Option<String> {
    let learned_nothing = |cell: &&CellResult| match &cell.outcome {
        Outcome::Measured(measured) if cell.draw.question != Question::Subtypes => {
            measured.figures.iter().any(|one| one.auc.low.is_some_and(|low| low <= 0.5))
        }
        _ => false,
    };
    let names: Vec<String> =
        document.cells.iter().filter(learned_nothing).map(CellResult::name).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Not shown to be better than a coin (the interval of the AUC reaches 0.5): {}.",
            names.join("; ")
        )
    })
}
