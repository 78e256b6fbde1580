//! The shell of a page: head, style, header, main part, footer.

use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};

use crate::text::write_markup;

/// Colours, type, tables, charts and print, for every page.
const STYLE: &str = include_str!("style.css");

/// Allows inline style and pictures inside the page, and nothing else.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What stands around the parts of a page.
#[derive(Debug)]
pub struct Page<'a> {
    /// Title of the window.
    pub title: &'a str,
    /// What the page needs beside the shared style; from the program, not from a file.
    pub style: &'static str,
    /// Element to which the first link leads, and what the link says.
    pub skip: Option<(&'a str, &'a str)>,
    /// What comes before the main part: heading, notice, what the page was made of.
    pub header: Markup,
    /// The research notice at the foot.
    pub notice: &'a str,
}

impl Page<'_> {
    /// Writes the page with `parts` as its main part. Each part is made when the one before it is
    /// written, so that a long page need not fit into memory.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write(
        &self,
        out: &mut dyn Write,
        parts: impl IntoIterator<Item = Markup>,
    ) -> io::Result<()> {
        out.write_all(b"<!DOCTYPE html>\n<html lang=\"en\">\n")?;
        write_markup(out, &self.head())?;
        out.write_all(b"\n<body>\n")?;
        let top = html! {
            @if let Some((id, text)) = self.skip {
                a class="skip" href={ "#" (id) } { (text) }
            }
            header { (self.header) }
        };
        write_markup(out, &top)?;
        out.write_all(b"\n<main>\n")?;
        for part in parts {
            write_markup(out, &part)?;
            out.write_all(b"\n")?;
        }
        out.write_all(b"</main>\n")?;
        write_markup(out, &html! { footer { p { (self.notice) } } })?;
        out.write_all(b"\n</body>\n</html>\n")
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (self.title) }
                // Style sheets are the program's own, and a browser reads no entities in them.
                style { (PreEscaped(STYLE)) (PreEscaped(self.style)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_loads_nothing() {
        for forbidden in ["url(", "@import", "http", "</"] {
            assert!(!STYLE.contains(forbidden), "style.css contains {forbidden}");
        }
    }

    #[test]
    fn parts_stand_in_their_order_between_header_and_footer() {
        let page = Page {
            title: "<b>",
            style: ".a{}",
            skip: Some(("first", "Skip")),
            header: html! { h1 { "H" } },
            notice: "N<",
        };
        let mut out = Vec::new();
        page.write(&mut out, [html! { p { "1\u{7}" } }, html! { p { "2" } }]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">")
        );
        assert!(text.contains("<title>&lt;b&gt;</title>") && text.contains(".a{}</style>"));
        assert!(
            text.ends_with(
                "<body>\n<a class=\"skip\" href=\"#first\">Skip</a><header><h1>H</h1></header>\n<main>\n\
                 <p>1\u{FFFD}</p>\n<p>2</p>\n</main>\n<footer><p>N&lt;</p></footer>\n</body>\n</html>\n"
            ),
            "{text}"
        );
    }
}
