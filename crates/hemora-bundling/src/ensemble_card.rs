//! The card of several members: their models with their weights, and what is known of them together.

use std::fmt::Write;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_evaluation::Evaluation;
use hemora_model::{BundleSeries, Member, ModelInfo, SeriesStage};

use crate::About;
use crate::card::write_end;

/// The card, Markdown.
pub(crate) fn ensemble_card(info: &ModelInfo, about: &About, evaluations: &[Evaluation]) -> String {
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
                "that of boosted trees on the models' probabilities of the slice and its neighbours; of \
                 labels without trees it is the mean of the models with the weights below",
            None => "the mean of the models with the weights below",
        },
        info.series.as_ref().map_or(String::new(), last_networks),
    );
    for label in Label::ALL {
        // Writing to a string cannot fail.
        let _ = write!(card, " {label} |");
    }
    let _ = writeln!(card, "\n|---|--:|---|--:|--:|{}", "--:|".repeat(LABEL_COUNT));
    for (name, range) in info.models() {
        let members = &info.members[range];
        let weights: Vec<String> = (0..LABEL_COUNT)
            .map(|label| members.iter().map(|member| member.weights[label]).sum::<f64>())
            .map(|weight| format!(" {weight:.3} |"))
            .collect();
        let _ = writeln!(
            card,
            "| {name} | {} | {} | {} | {} |{}",
            members.len(),
            distinct(members, networks),
            distinct(members, |member| format!("{0}×{0}", member.input.size)),
            distinct(members, |member| parameters(member).to_string()),
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
    write_end(&mut card, info, evaluations, &about.limits);
    card
}

/// A text of each member, those in a row that are alike once.
fn distinct(members: &[Member], text: impl Fn(&Member) -> String) -> String {
    let mut all: Vec<String> = members.iter().map(text).collect();
    all.dedup();
    all.join(", ")
}

/// The networks of a member.
fn networks(member: &Member) -> String {
    let series = member.series.iter().map(|stage| stage.network.as_str());
    let all = std::iter::once(member.network.name.as_str()).chain(series);
    all.collect::<Vec<_>>().join(" + ")
}

/// Trainable parameters of all networks of a member.
fn parameters(member: &Member) -> u64 {
    // Nothing bounds what a bundle claims.
    let count =
        |stage: &SeriesStage| stage.trainable_parameters.saturating_mul(stage.sha256.len() as u64);
    let series = member.series.iter().map(count);
    series.fold(member.network.trainable_parameters, u64::saturating_add)
}

/// What the networks of series that read all members do.
fn last_networks(series: &BundleSeries) -> String {
    let BundleSeries { stage, slice_weights } = series;
    let equal = slice_weights.iter().flatten().all(|weight| *weight == slice_weights[0][0]);
    format!(
        " {} networks `{}` of {} parameters each then read every series: of each slice that mean, which is \
         of the members' networks of series, and the {} of the members' probabilities of single slices; \
         the mean of their probabilities is the ensemble's. A series that they cannot read keeps the mean, \
         and its result has a warning.",
        stage.sha256.len(),
        stage.network,
        stage.trainable_parameters,
        if equal { "mean" } else { "mean, with weights of its own," },
    )
}
