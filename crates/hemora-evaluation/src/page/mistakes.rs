//! The worst mistakes.

use hemora_page::{number, section, short, table, title};
use maud::{Markup, html};

use crate::{Evaluation, Mistake, MistakeKind};

pub(super) fn mistakes(evaluation: &Evaluation) -> Markup {
    let Some(first) = evaluation.mistakes.first() else { return html! {} };
    let of_kind = |kind| -> Vec<&Mistake> {
        evaluation.mistakes.iter().filter(|mistake| mistake.kind == kind).collect()
    };
    section(
        "mistakes",
        html! { "The worst mistakes: " (title(first.label).to_lowercase()) },
        html! {
            p {
                "Look at these images first: each is a lesson about the model or an error in the \
                 labels."
            }
            @if let Some(sheet) = &evaluation.contact_sheet {
                p {
                    // The prefix keeps a name with a colon from being read as another scheme.
                    a href={ "./" (sheet) } { "Pictures of the worst of them" }
                    ", in a file of its own: it shows patients\u{2019} images, this page does not."
                }
            }
            div class="pair" {
                (mistakes_of_kind(
                    "Positive slices with the lowest probability",
                    &of_kind(MistakeKind::FalseNegative),
                ))
                (mistakes_of_kind(
                    "Negative slices with the highest probability",
                    &of_kind(MistakeKind::FalsePositive),
                ))
            }
        },
    )
}

fn mistakes_of_kind(name: &str, mistakes: &[&Mistake]) -> Markup {
    let rows = html! {
        @for mistake in mistakes {
            @let truth: Vec<&str> = mistake.truth.iter().map(|label| label.name()).collect();
            tr {
                th scope="row" class="uid" { (short(&mistake.id)) }
                td class="uid" { (short(mistake.group.as_deref().unwrap_or("–"))) }
                td { (number::fine_probability(mistake.probability)) }
                td class="wrap" { @if truth.is_empty() { "–" } @else { (truth.join(", ")) } }
            }
        }
    };
    html! {
        div {
            h3 { (name) }
            @if mistakes.is_empty() { p { "None: there is no such slice." } } @else {
                (table(["Slice", "Group", "Probability", "Subtypes by label"], rows))
            }
        }
    }
}
