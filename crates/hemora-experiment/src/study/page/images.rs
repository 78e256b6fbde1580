//! How many images every cell has.

use hemora_page::{section, table};
use maud::{Markup, html};

use crate::study::document::StudyDocument;
use crate::study::markdown::draw_title;

pub(super) fn images(document: &StudyDocument) -> Markup {
    let heads = [
        "Cells",
        "Train",
        "Validation",
        "Test",
        "Patients in test",
        "Unknown patients in test",
        "Known patients in several parts",
        "Seed",
    ];
    let rows = html! {
        @for draw in &document.draws {
            @let test = draw.parts.last();
            tr {
                th scope="row" { (draw_title(draw)) }
                @for part in &draw.parts { td { (part.any()) " of " (part.images) } }
                td { (test.map_or(0, |part| part.groups)) }
                td { (test.map_or(0, |part| part.unknown_patients)) }
                td { (draw.shared_patients) }
                td { (draw.seed) }
            }
        }
    };
    section(
        "images",
        "Images of the cells",
        html! {
            p { "Positive of all. All networks see the same images." }
            (table(heads, rows))
        },
    )
}
