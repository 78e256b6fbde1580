//! The head of a page.

use std::io::{self, Write};

use crate::Escaped;

/// Colours, type, tables, charts and print, for every page.
const STYLE: &str = include_str!("style.css");

/// Allows inline style and pictures inside the page, and nothing else.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes everything up to the opening body tag, which stands open after it. `title` is plain text;
/// `style` is what the page needs beside the shared style.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_head(out: &mut dyn Write, title: &str, style: &str) -> io::Result<()> {
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n\
         <style>\n{STYLE}{style}</style>\n</head>\n<body>",
        Escaped(title)
    )
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
    fn the_title_is_escaped() {
        let mut out = Vec::new();
        write_head(&mut out, "<b>", ".a{}").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("<title>&lt;b&gt;</title>") && text.contains(".a{}</style>"));
    }
}
