//! How to read a page: what each part means and what it cannot tell.

use maud::{Markup, html};

use crate::parts::section;

/// What a word or part of the page is called, and what it means.
pub type Point = (&'static str, &'static str);

/// The section "How to read this page", whose id is `guide`; `more` are further points (`li`).
pub fn guide(points: &[Point], more: Markup) -> Markup {
    section(
        "guide",
        "How to read this page",
        html! {
            ul class="guide" {
                @for (what, meaning) in points { li { strong { (what) } " " (meaning) } }
                (more)
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_listed_before_what_is_added() {
        let text = guide(&[("AUROC.", "0.5 < 1")], html! { li { "more" } }).into_string();
        assert!(text.contains("<h2 id=\"guide\">How to read this page</h2>"), "{text}");
        assert!(
            text.ends_with(
                "<li><strong>AUROC.</strong> 0.5 &lt; 1</li><li>more</li></ul></section>"
            )
        );
    }
}
