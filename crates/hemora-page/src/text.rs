//! Texts from files: cut where they are endless, cleaned of what disturbs the text beside them.

use std::borrow::Cow;
use std::io::{self, Write};

use hemora_base::is_disturbing;
use maud::Markup;

/// Longest text that is shown, in characters; the rest is cut off and its length named.
const LONGEST: usize = 1000;

/// The text, cut after 1,000 characters.
pub fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let all = text.chars().count();
            Cow::Owned(format!("{}… (cut, {all} characters)", &text[..end]))
        }
    }
}

/// [`short`], or a dash for an empty text.
pub fn or_dash(text: &str) -> Cow<'_, str> {
    if text.trim().is_empty() { Cow::Borrowed("–") } else { short(text) }
}

/// Writes a page or a fragment of one.
///
/// Control characters and the invisible ones that reverse the reading direction become U+FFFD, so
/// that no text can disturb what stands beside it. Markup holds none of them, so replacing them here
/// covers every text.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_markup(out: &mut dyn Write, markup: &Markup) -> io::Result<()> {
    let mut rest = markup.0.as_str();
    while let Some((index, character, with)) = first_disturbing(rest) {
        out.write_all(&rest.as_bytes()[..index])?;
        out.write_all(with.as_bytes())?;
        rest = &rest[index + character.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}

fn first_disturbing(text: &str) -> Option<(usize, char, &'static str)> {
    text.char_indices()
        .find_map(|(index, character)| Some((index, character, replacement(character)?)))
}

/// What stands for a character that may not be written.
fn replacement(character: char) -> Option<&'static str> {
    match character {
        ' '..='~' | '\n' | '\t' => None,
        '\r' => Some(" "),
        // Non-characters are a parse error in HTML, as controls are.
        '\u{FDD0}'..='\u{FDEF}' => Some("\u{FFFD}"),
        _ if is_disturbing(character) || u32::from(character) & 0xFFFE == 0xFFFE => {
            Some("\u{FFFD}")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    fn written(markup: &Markup) -> String {
        let mut out = Vec::new();
        write_markup(&mut out, markup).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markup_and_quotes_are_inert() {
        let text = r#"<script>alert('x')</script>"onload=`&"#;
        assert_eq!(
            written(&html! { p title=(text) { (text) } }),
            "<p title=\"&lt;script&gt;alert('x')&lt;/script&gt;&quot;onload=`&amp;\">\
             &lt;script&gt;alert('x')&lt;/script&gt;&quot;onload=`&amp;</p>"
        );
    }

    #[test]
    fn invisible_characters_are_replaced() {
        let text = "a\u{0}b\u{202E}c\r\nd\u{FFFF}\u{85}";
        assert_eq!(written(&html! { (text) }), "a\u{FFFD}b\u{FFFD}c \nd\u{FFFD}\u{FFFD}");
        assert_eq!(written(&html! { "Müller 李 – ≥" }), "Müller 李 – ≥");
    }

    #[test]
    fn endless_text_is_cut() {
        let shown = written(&html! { (short(&"<".repeat(5000))) });
        assert!(shown.ends_with("… (cut, 5000 characters)"));
        assert_eq!(shown.matches("&lt;").count(), LONGEST);
        assert_eq!(short("ä"), "ä");
    }

    #[test]
    fn empty_text_is_a_dash() {
        assert_eq!(or_dash("  "), "–");
        assert_eq!(or_dash("a<"), "a<");
    }
}
