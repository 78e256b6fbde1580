//! Texts from files, made fit for the format that they go to. What does not fit is left out, and nothing
//! is made up.

use hemora_base::is_disturbing;

/// On one line: characters that control a receiver, or turn the reading direction, become spaces, and
/// spaces are single.
pub(crate) fn line(text: &str) -> String {
    let plain = |letter: char| if is_disturbing(letter) { ' ' } else { letter };
    let text: String = text.chars().map(plain).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of at most `limit` characters for a VR whose values a backslash parts (PS3.5 §6.2).
pub(crate) fn value(text: &str, limit: usize) -> String {
    let cleaned: String = line(text).replace('\\', "/").chars().take(limit).collect();
    cleaned.trim_end().to_owned()
}

/// The component groups of a name: alphabetic, ideographic, phonetic (PS3.5 §6.2.1).
pub(crate) fn name_groups(name: &str) -> Vec<Vec<String>> {
    let group = |group: &str| {
        let mut parts: Vec<String> = group.split('^').take(5).map(|part| value(part, 64)).collect();
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        parts
    };
    let mut groups: Vec<Vec<String>> = name.split('=').take(3).map(group).collect();
    while groups.last().is_some_and(Vec::is_empty) {
        groups.pop();
    }
    groups
}

/// A name (PN): at most 64 characters a component group.
pub(crate) fn person_name(name: &str) -> String {
    let group = |parts: &Vec<String>| parts.join("^").chars().take(64).collect::<String>();
    name_groups(name).iter().map(group).collect::<Vec<_>>().join("=")
}

/// A date (DA), `YYYYMMDD`; empty if it is none.
pub(crate) fn date(text: &str) -> &str {
    let text = text.trim();
    let is_date = text.len() == 8 && chrono::NaiveDate::parse_from_str(text, "%Y%m%d").is_ok();
    if is_date && text.bytes().all(|byte| byte.is_ascii_digit()) { text } else { "" }
}

/// A time (TM), `HH`, `HHMM`, `HHMMSS` or `HHMMSS.F…`; empty if it is none.
pub(crate) fn time(text: &str) -> &str {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let bound = |at: usize, limit: u32| {
        whole.get(at..at + 2).is_none_or(|pair| pair.parse::<u32>().is_ok_and(|it| it < limit))
    };
    let is_time = digits(whole)
        && matches!(whole.len(), 2 | 4 | 6)
        && bound(0, 24)
        && bound(2, 60)
        && bound(4, 61)
        && fraction.is_none_or(|it| whole.len() == 6 && (1..=6).contains(&it.len()) && digits(it));
    if is_time { text } else { "" }
}

/// A sex (PS3.3 C.7.1.1): M, F or O; empty if it is none.
pub(crate) fn sex(text: &str) -> &str {
    match text.trim() {
        sex @ ("M" | "F" | "O") => sex,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_what_would_break_their_format() {
        assert_eq!(value("a\\b\r\n\u{1b}c\u{202e} ", 64), "a/b c");
        assert_eq!(value("abcdef", 3), "abc");
        assert_eq!(value("王小東", 2), "王小");
        assert_eq!(value(" \u{0} ", 64), "");
    }

    #[test]
    fn names_keep_their_groups_and_components() {
        assert_eq!(person_name("Wang^XiaoDong=王^小東=^\u{7}"), "Wang^XiaoDong=王^小東");
        assert_eq!(person_name("=山田^太郎"), "=山田^太郎");
        assert_eq!(person_name("a\\b^c^d^e^f^g"), "a/b^c^d^e^f");
        assert_eq!(person_name(&"x".repeat(100)).len(), 64);
        assert_eq!(person_name("^^"), "");
    }

    #[test]
    fn dates_times_and_sexes_are_none_or_right() {
        assert_eq!([date("20260229"), date("20240229"), date("2024.1.1")], ["", "20240229", ""]);
        for good in ["12", "2359", "235960", "101010.123456"] {
            assert_eq!(time(good), good);
        }
        for bad in ["24", "1", "12:30", "1260", "1010.5", "101010.", "101010.1234567", "十二"] {
            assert_eq!(time(bad), "", "{bad}");
        }
        assert_eq!([sex("F"), sex("female"), sex("O ")], ["F", "", "O"]);
    }
}
