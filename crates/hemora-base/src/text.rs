//! Texts from files, for terminals.

/// Whether a character disturbs the text beside it: a control character, or an invisible one that turns
/// the reading direction.
pub fn is_disturbing(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `text` with every character replaced that disturbs the text beside it; a terminal would obey some.
pub fn printable(text: &str) -> String {
    text.chars().map(|letter| if is_disturbing(letter) { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(printable("\u{202e}txt.exe"), "\u{fffd}txt.exe");
    }
}
