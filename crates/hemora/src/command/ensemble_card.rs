//! The card of an ensemble: its members with their weights, and what is known of them together.

use std::fmt::Write;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_evaluation::Evaluation;
use hemora_experiment::recipe::About;
use hemora_model::{Bundle, EnsembleInfo, EnsembleSeries, SeriesStage};

use super::card::write_end;

/// The card, Markdown.
pub fn card(
    info: &EnsembleInfo,
    about: &About,
    members: &[Bundle],
    evaluations: &[Evaluation],
) -> String {
    let mut card = format!(
        "# {} {}\n\n{}\n\n**Licence:** {}\n\n## Intended use\n\n{}\n\n## Members\n\nEvery member scores \
         every slice as it would alone. A model's probability is the mean of its members', the \
         ensemble's {}.{}\n\n| model | members | network | input | trainable parameters of each |",
        info.name,
        info.version,
        info.notice,
        info.licence,
        info.intended_use.trim(),
        match info.stacking {
            Some(_) =>
                "what boosted trees make of the models' probabilities of the slice and its \
                        neighbours; of labels without trees it is the mean of the models with the weights \
                        below",
            None => "the mean of the models with the weights below",
        },
        info.series.as_ref().map_or(String::new(), last_word),
    );
    for label in Label::ALL {
        // Writing to a string cannot fail.
        let _ = write!(card, " {label} |");
    }
    let _ = writeln!(card, "\n|---|--:|---|--:|--:|{}", "--:|".repeat(LABEL_COUNT));
    let mut members = members.iter();
    for model in &info.models {
        let own: Vec<&Bundle> = members.by_ref().take(model.sha256.len()).collect();
        let of = |text: &dyn Fn(&Bundle) -> String| {
            let mut all: Vec<String> = own.iter().map(|bundle| text(bundle)).collect();
            all.dedup();
            all.join(", ")
        };
        let network = |bundle: &Bundle| {
            let series = bundle.info().series.iter().map(|stage| stage.network.clone());
            [bundle.info().network.name.clone()]
                .into_iter()
                .chain(series)
                .collect::<Vec<_>>()
                .join(" + ")
        };
        let parameters = |bundle: &Bundle| {
            let info = bundle.info();
            let of_series =
                |stage: &SeriesStage| stage.trainable_parameters * stage.sha256.len() as u64;
            let series: u64 = info.series.iter().map(of_series).sum();
            (info.network.trainable_parameters + series).to_string()
        };
        let size = |bundle: &Bundle| format!("{0}×{0}", bundle.info().input.size);
        let weights: Vec<String> =
            model.weights.iter().map(|weight| format!(" {weight:.3} |")).collect();
        let _ = writeln!(
            card,
            "| {} | {} | {} | {} | {} |{}",
            model.name,
            own.len(),
            of(&network),
            of(&size),
            of(&parameters),
            weights.concat()
        );
    }
    let _ = writeln!(
        card,
        "\n## Input\n\n{}\n\n## Training data\n\n{}\n\n## Validation\n\n{}",
        about.input.trim(),
        about.training_data.trim(),
        about.validation.trim()
    );
    write_end(&mut card, &info.claims(), evaluations, &about.limits);
    card
}

/// What the ensemble's own networks of series do.
fn last_word(series: &EnsembleSeries) -> String {
    let EnsembleSeries { stage, slice_weights } = series;
    let equal = slice_weights.iter().flatten().all(|weight| *weight == slice_weights[0][0]);
    format!(
        " {} networks `{}` of {} parameters each then read every series: of each slice that mean, which is \
         of the members' networks of series, and the {} of the members' probabilities of single slices; \
         their mean is what the ensemble says. A series that they cannot read keeps the mean, and its \
         result says so.",
        stage.sha256.len(),
        stage.network,
        stage.trainable_parameters,
        if equal { "mean" } else { "mean, with weights of its own," },
    )
}
