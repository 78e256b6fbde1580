//! Parts that stand on every page: sections, the research notice, warnings, what a page was made of.

use maud::{Markup, Render, html};

use crate::text::{or_dash, short};

/// A section with its heading; `id` is unique in the page.
pub fn section(id: &str, title: impl Render, body: Markup) -> Markup {
    html! {
        section aria-labelledby=(id) { h2 id=(id) { (title) } (body) }
    }
}

/// The research notice in a frame, and below it what else a reader must know.
pub fn notice(notice: &str, more: Option<&str>) -> Markup {
    html! {
        div class="notice" role="note" {
            p { strong { (notice) } }
            @if let Some(more) = more { p { (short(more)) } }
        }
    }
}

/// Warnings as a marked list under `title`; nothing if there are none.
pub fn warnings(title: &str, warnings: &[String]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            div class="warnings" {
                p { strong { (title) } }
                ul { @for warning in warnings { li { (short(warning)) } } }
            }
        }
    }
}

/// What a page was made of: names and values side by side.
pub fn facts<'a>(rows: impl IntoIterator<Item = (&'a str, Markup)>) -> Markup {
    html! {
        dl class="made" {
            @for (name, value) in rows { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// A file by its name and the first 12 characters of its SHA-256, as version control does; the rest
/// shows under the pointer.
pub fn file_reference(name: &str, sha256: &str) -> Markup {
    let start: String = sha256.chars().take(12).collect();
    html! {
        (or_dash(name)) " "
        span class="uid" title={ "SHA-256 " (short(sha256)) } { "(" (or_dash(&start)) ")" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_part_are_escaped() {
        let evil = "<i>".to_owned();
        for markup in [
            section("a", &evil, html! {}),
            notice(&evil, Some(&evil)),
            warnings(&evil, std::slice::from_ref(&evil)),
            facts([(evil.as_str(), html! { (evil) })]),
            file_reference(&evil, &evil),
        ] {
            let text = markup.into_string();
            assert!(text.contains("&lt;i&gt;") && !text.contains("<i>"), "{text}");
        }
    }

    #[test]
    fn no_warnings_take_no_space() {
        assert_eq!(warnings("Title", &[]).into_string(), "");
        assert_eq!(notice("N", None).into_string().matches("<p>").count(), 1);
    }

    #[test]
    fn a_file_shows_the_start_of_its_hash() {
        let text = file_reference("a.csv", &"0123456789abcdef".repeat(4)).into_string();
        assert!(text.contains("(0123456789ab)</span>"), "{text}");
    }
}
