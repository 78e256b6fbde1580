//! Whether a series was taken with a contrast agent, by what its header says in any words.

use super::words::{all_words, is_negation, is_one};
use crate::Series;

/// By ContrastBolusAgent where it tells; then by the description.
pub(crate) fn has_contrast(series: &Series) -> bool {
    let agents = series.slices.iter().filter_map(|slice| slice.contrast_agent.as_deref());
    let mut denied = false;
    for agent in agents {
        match by_agent(agent) {
            Some(true) => return true,
            Some(false) => denied = true,
            None => {}
        }
    }
    !denied && series.description.as_deref().and_then(by_description).unwrap_or(false)
}

/// Trade names and substances of agents for CT; one may be written beside a “no” of another route.
const AGENTS: &[&str] = &[
    "omnipaq",
    "iohex",
    "iopam",
    "isovue",
    "ultravist",
    "iopromid",
    "visipaque",
    "iodixanol",
    "iomer",
    "iomeprol",
    "imeron",
    "optiray",
    "ioversol",
    "xenetix",
    "iobitridol",
    "oxilan",
    "accupaque",
    "solutrast",
    "scanlux",
    "conray",
    "jopamiro",
    "unique",
];

/// Whether an agent was given; `None` where the value says that nobody knows.
fn by_agent(value: &str) -> Option<bool> {
    const UNKNOWN: &[&str] = &[
        "unknown",
        "undefined",
        "unspecified",
        "null",
        "na",
        "unk",
        "unbekannt",
        "desconocido",
        "desconhecido",
        "inconnu",
        "onbekend",
        "sconosciuto",
    ];
    const ABSENT: &[&str] = &[
        "n",
        "native",
        "nativ",
        "nativo",
        "nativa",
        "natif",
        "blanco",
        "blank",
        "plain",
        "noncontrast",
        "nocontrast",
        "unenhanced",
        "nonenhanced",
        "false",
        "ncct",
        "nect",
        "nc",
        "nein",
        "nessuno",
        "nessun",
        "aucun",
        "ninguno",
    ];
    let words = all_words(value);
    if words.is_empty() {
        // No letters: 0, -, 0.0 and the like; other numbers are amounts of an agent.
        let is_amount = value.chars().any(|letter| ('1'..='9').contains(&letter));
        return if value.trim().is_empty() { None } else { Some(is_amount) };
    }
    let is_agent = |word: &String| is_one(word, &[], AGENTS);
    let given = |at: usize| is_agent(&words[at]) && !(at > 0 && is_negation(&words[at - 1]));
    if (0..words.len()).any(given) {
        return Some(true);
    }
    let text = value.trim().to_lowercase();
    if text == "n/a" || words.iter().any(|word| UNKNOWN.contains(&&**word)) {
        return None;
    }
    let is_absent = |word: &String| {
        is_negation(word)
            || ABSENT.contains(&&**word)
            || is_one(word, &["ninguna", "nenhum", "nenhuma", "aucune"], &[])
    };
    if words.iter().any(is_absent) {
        return Some(false);
    }
    // “0 ml”: an amount of nothing.
    let amount: String = text.chars().take_while(|it| !it.is_alphabetic()).collect();
    let is_nothing = amount.contains('0') && !amount.chars().any(|it| ('1'..='9').contains(&it));
    let is_unit = |word: &String| ["ml", "cc", "mg", "g", "l"].contains(&&**word);
    Some(!(is_nothing && words.iter().all(is_unit)))
}

/// Whether a description says “with contrast” or “without”; `None` where it says neither.
fn by_description(text: &str) -> Option<bool> {
    const CONTRAST: &[&str] = &["km", "kmg", "kontrast", "kontrastmittel", "mdc", "c"];
    const ABSENT: &[&str] = &[
        "noncontrast",
        "nocontrast",
        "noncon",
        "unenhanced",
        "nonenhanced",
        "precontrast",
        "nativ",
        "native",
        "nativo",
        "nativa",
        "natif",
        "ncct",
        "nect",
        "nonkontrast",
    ];
    const PRESENT: &[&str] = &["postcontrast", "enhanced", "cect", "ce", "cta", "angiographie"];
    const WITH: &[&str] = &[
        "with", "w", "w/", "c/", "mit", "con", "com", "avec", "met", "post", "after", "nach",
        "apres", "dopo", "na", "pos",
    ];
    const BEFORE: &[&str] = &["pre", "before", "vor", "avant", "prima"];
    let words = all_words(text);
    let is_contrast = |word: &String| is_one(word, CONTRAST, &["contrast", "kontrastm"]);
    for (at, word) in words.iter().enumerate() {
        if ABSENT.contains(&&**word) {
            return Some(false);
        }
        let before = || words[at.saturating_sub(2)..at].iter();
        let has_not = before().any(|word| is_negation(word) || BEFORE.contains(&&**word));
        if is_contrast(word) && has_not {
            return Some(false);
        }
        if is_contrast(word) && before().any(|word| WITH.contains(&&**word)) {
            return Some(true);
        }
        if PRESENT.contains(&&**word) {
            return Some(!has_not);
        }
    }
    let text = text.to_lowercase();
    (text.contains("c+") || text.contains("+c")).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_say_that_there_was_no_agent() {
        let none = [
            "NONE",
            "No",
            "none",
            "NO CONTRAST",
            "WITHOUT",
            "0",
            "0 ml",
            "-",
            "ohne KM",
            "sin contraste",
            "sans produit de contraste",
            "senza mdc",
            "sem contraste",
            "zonder contrast",
            "Nativ",
            "N",
            "non-contrast",
            "W/O",
            "no omnipaque",
            "kein KM",
        ];
        for text in none {
            assert_eq!(by_agent(text), Some(false), "{text}");
        }
        for text in ["unknown", "UNDEFINED", "n/a", " "] {
            assert_eq!(by_agent(text), None, "{text}");
        }
        let given = [
            "Iomeprol",
            "OMNIPAQUE 350",
            "IV",
            "Contrast",
            "Omnipaque 300, no oral",
            "100",
            "Xenetix 350",
            "80 ml",
            "CONTRASTE",
            "KM",
            "Noncont Omnipaque",
        ];
        for text in given {
            assert_eq!(by_agent(text), Some(true), "{text}");
        }
    }

    #[test]
    fn descriptions_that_say_with_and_without() {
        let with = [
            "Kopf mit KM",
            "craneo con contraste",
            "HEAD WITH CONTRAST",
            "Head w/ contrast",
            "post contrast",
            "Schädel nach KM",
            "crâne avec contraste",
            "HEAD C+",
            "testa con contrasto",
            "cabeca com contraste",
        ];
        for text in with {
            assert_eq!(by_description(text), Some(true), "{text}");
        }
        let without = [
            "Kopf ohne KM",
            "craneo sin contraste",
            "HEAD W/O CONTRAST",
            "NON CONTRAST HEAD",
            "pre contrast",
            "vor KM",
            "Kopf nativ",
            "unenhanced",
            "crâne sans contraste",
        ];
        for text in without {
            assert_eq!(by_description(text), Some(false), "{text}");
        }
        for text in ["HEAD 5.0 H31s", "Head C-", "low contrast"] {
            assert_eq!(by_description(text), None, "{text}");
        }
    }
}
