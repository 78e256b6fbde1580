//! Text from files, made harmless for HTML.

use std::fmt;

/// Longest text that is shown, in characters; the rest is cut off and its length named.
const LONGEST: usize = 1000;

/// Shows a text so that it is inert both between tags and inside a quoted attribute.
///
/// Control characters and the invisible ones that reverse the reading direction become U+FFFD, so
/// that no text can disturb what stands beside it.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for (index, character) in self.0.chars().enumerate() {
            if index == LONGEST {
                let all = self.0.chars().count();
                return write!(formatter, "… (cut, {all} characters)");
            }
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '`' => formatter.write_str("&#96;")?,
                '\t' | '\n' | '\r' => formatter.write_char(' ')?,
                '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                    formatter.write_char('\u{FFFD}')?;
                }
                // Non-characters are a parse error in HTML, as controls are.
                '\u{FDD0}'..='\u{FDEF}' => formatter.write_char('\u{FFFD}')?,
                _ if character.is_control() || u32::from(character) & 0xFFFE == 0xFFFE => {
                    formatter.write_char('\u{FFFD}')?;
                }
                _ => formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// The text, or a dash for an empty one.
pub fn or_dash(text: &str) -> Escaped<'_> {
    Escaped(if text.trim().is_empty() { "–" } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_quotes_are_inert() {
        let text = r#"<script>alert('x')</script>"onload=`&"#;
        assert_eq!(
            Escaped(text).to_string(),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;onload=&#96;&amp;"
        );
    }

    #[test]
    fn invisible_characters_are_replaced() {
        assert_eq!(
            Escaped("a\u{0}b\u{202E}c\nd\u{FFFF}").to_string(),
            "a\u{FFFD}b\u{FFFD}c d\u{FFFD}"
        );
        assert_eq!(Escaped("Müller 李").to_string(), "Müller 李");
    }

    #[test]
    fn endless_text_is_cut() {
        let shown = Escaped(&"<".repeat(5000)).to_string();
        assert!(shown.ends_with("… (cut, 5000 characters)"));
        assert_eq!(shown.matches("&lt;").count(), LONGEST);
    }

    #[test]
    fn empty_text_is_a_dash() {
        assert_eq!(or_dash("  ").to_string(), "–");
        assert_eq!(or_dash("a<").to_string(), "a&lt;");
    }
}
