//! How to read the page.

use hemora_page::{Point, guide};
use maud::{Markup, html};

use crate::study::document::StudyDocument;

const POINTS: [Point; 7] = [
    (
        "Split by patient, by image.",
        "Slices of one patient are alike. Split by image, a network is tested on neighbours of the \
         slices that it was trained on, and looks better than it is; how much better is the \
         difference between both sides.",
    ),
    (
        "Accuracy.",
        "The share of right answers at a threshold of one half. With three times as many slices \
         without hemorrhage as with, always answering \u{201c}none\u{201d} is right in three of four.",
    ),
    (
        "MSE.",
        "Mean squared error of the probability, also called the Brier score; lower is better.",
    ),
    (
        "AUC.",
        "The chance that a slice with hemorrhage gets a higher probability than one without: 0.5 is \
         a coin, 1 is perfect.",
    ),
    (
        "z position alone.",
        "How common hemorrhage is at the slice's position along the body axis, counted in ten bins \
         on the training images, on the test images whose position is known. A network that does no \
         better need not have seen any blood.",
    ),
    (
        "The test is used once.",
        "The epoch is chosen on the validation images and nothing on the test images. More types \
         make the task easier, so that subsets cannot be compared with one another.",
    ),
    (
        "What differs from the study.",
        "Its epochs, its split, its augmentation and its figures for one and two types are not on \
         record. The optimizer, its rate, the batch size, the first weights and the networks are \
         the study\u{2019}s where the preset says so.",
    ),
];

pub(super) fn reading_guide(document: &StudyDocument) -> Markup {
    guide(
        &POINTS,
        html! {
            li {
                strong { "The lighter line." } " "
                @if document.options.repeats > 1 {
                    "± is one standard deviation over the repeats, each with another sample, split and \
                     other first weights."
                } @else {
                    "Intervals (95 %) say where the figure would fall if as many other patients of the \
                     same kind were drawn. They do not say how another training would have ended: for \
                     that, repeat the study with " code { "--repeats" } "."
                }
            }
        },
    )
}
