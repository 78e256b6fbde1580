//! How to read the page, for readers who know neither the network nor the program.

use std::io::{self, Write};

/// What each part means and what it cannot tell.
const POINTS: [(&str, &str); 6] = [
    (
        "Probability.",
        "The network scores every slice from 0 to 1 for any hemorrhage and for five subtypes. \
         For each of them, a series gets the mean of its (up to) three highest slices, and a study \
         gets the numbers of its most suspicious series. Several subtypes can be present together, \
         so the numbers do not add up.",
    ),
    (
        "Not calibrated for your scanner.",
        "The numbers put studies in order. They are not the chance that this patient bleeds: \
         scanner, protocol and patients may differ from those the network has learnt from.",
    ),
    (
        "Map.",
        "The coloured map shows where the network looked, from dark (little) to bright (most); \
         a line is drawn at half of the scale. It is coarse and not a segmentation: its border is \
         not the border of a hemorrhage, and it may lie beside it.",
    ),
    (
        "What it cannot do.",
        "The network can miss hemorrhage, above all if it is small, thin or old, and can be misled \
         by calcification, contrast medium, motion and metal. It looks for nothing but hemorrhage. \
         A low number does not mean a normal study.",
    ),
    (
        "Pictures.",
        "Slices are shown as they are stored, at reduced size. The letters at the edges say which \
         side of the patient is there: R right, L left, A front, P back, H head, F feet. Without \
         letters the file does not tell. Read the original images.",
    ),
    ("Printing.", "The printed page holds the studies and lists that are unfolded on the screen."),
];

/// Writes the section "How to read this page".
pub(crate) fn write(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"guide\"><h2 id=\"guide\">How to read this page</h2><ul class=\"guide\">"
    )?;
    for (what, means) in POINTS {
        writeln!(out, "<li><strong>{what}</strong> {means}</li>")?;
    }
    writeln!(out, "</ul></section>")
}
