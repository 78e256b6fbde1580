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
        "n", "blanco", "blank", "plain", "false", "nc", "nein", "nessuno", "nessun", "aucun",
        "aucune", "ninguno", "ninguna", "nenhum", "nenhuma",
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
    let words = of_the_vessels(words);
    if words.is_empty() {
        return None;
    }
    let is_absent =
        |word: &String| is_negation(word) || ABSENT.contains(&&**word) || NATIVE.contains(&&**word);
    if words.iter().any(is_absent) {
        return Some(false);
    }
    // “0 ml”: an amount of nothing.
    let amount: String = text.chars().take_while(|it| !it.is_alphabetic()).collect();
    let is_nothing = amount.contains('0') && !amount.chars().any(|it| ('1'..='9').contains(&it));
    let is_unit = |word: &String| ["ml", "cc", "mg", "g", "l"].contains(&&**word);
    Some(!(is_nothing && words.iter().all(is_unit)))
}

/// The words of an agent without what is said of other things than an agent in the vessels: “no oral”,
/// “no known allergy”, and “non-ionic”, which is a kind of agent.
fn of_the_vessels(words: Vec<String>) -> Vec<String> {
    const ROUTES: &[&str] = &["po", "peroral", "rektal"];
    const ROUTE_STEMS: &[&str] = &["oral", "rectal", "allerg", "alerg", "react", "reakt", "reacc"];
    const KNOWN: [&str; 4] = ["known", "prior", "previous", "history"];
    const OR: [&str; 4] = ["or", "nor", "oder", "ou"];
    let is = |at: usize, known: &[&str]| words.get(at).is_some_and(|word| known.contains(&&**word));
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let next = at + if is_negation(word) { 1 + usize::from(is(at + 1, &KNOWN)) } else { 0 };
        let what = words.get(next).filter(|_| next > at).map_or("", |word| word);
        // “No oral or IV contrast” denies both.
        if is_one(what, ROUTES, ROUTE_STEMS) && !is(next + 1, &OR) {
            at = next + 1 + usize::from(is_contrast(&words, next + 1));
        } else if what.starts_with("ioni") {
            at = next;
        } else {
            kept.push(word.clone());
            at += 1;
        }
    }
    kept
}

/// Words for scans without an agent.
const NATIVE: &[&str] = &[
    "native",
    "nativ",
    "nativo",
    "nativa",
    "natif",
    "noncontrast",
    "nocontrast",
    "unenhanced",
    "nonenhanced",
    "ncct",
    "nect",
];

/// Whether word `at` means the agent. A “c” does only in “s/c” and “c/c”: it is a spine in “C-spine”.
fn is_contrast(words: &[String], at: usize) -> bool {
    const CONTRAST: &[&str] = &["km", "kmg", "kontrast", "kontrastmittel", "mdc"];
    let Some(word) = words.get(at) else { return false };
    let before = at.checked_sub(1).map_or("", |before| &words[before]);
    is_one(word, CONTRAST, &["contrast", "kontrastm"])
        || word == "c" && ["s/", "c/"].contains(&before)
}

/// Whether a description says “with contrast” or “without”; `None` where it says neither.
fn by_description(text: &str) -> Option<bool> {
    const ABSENT: [&str; 3] = ["noncon", "precontrast", "nonkontrast"];
    const PRESENT: &[&str] = &["postcontrast", "enhanced", "cect", "ce", "cta", "angiographie"];
    const WITH: &[&str] = &[
        "with", "w", "w/", "c/", "mit", "con", "com", "avec", "met", "post", "after", "nach",
        "apres", "dopo", "na", "pos",
    ];
    const BEFORE: &[&str] = &["pre", "before", "vor", "avant", "prima"];
    let words = all_words(text);
    for (at, word) in words.iter().enumerate() {
        if NATIVE.contains(&&**word) || ABSENT.contains(&&**word) {
            return Some(false);
        }
        let before = || words[at.saturating_sub(2)..at].iter();
        let has_not = before().any(|word| is_negation(word) || BEFORE.contains(&&**word));
        let is_contrast = is_contrast(&words, at);
        if is_contrast && has_not {
            return Some(false);
        }
        if is_contrast && before().any(|word| WITH.contains(&&**word)) {
            return Some(true);
        }
        if PRESENT.contains(&&**word) {
            return Some(!has_not);
        }
    }
    let text = text.to_lowercase();
    let mut tokens = text.split(|letter: char| !letter.is_alphanumeric() && letter != '+');
    tokens.any(|token| ["c+", "+c", "iv+"].contains(&token)).then_some(true)
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
        for text in ["NO ORAL OR IV CONTRAST", "no IV", "NO ORAL, NO IV"] {
            assert_eq!(by_agent(text), Some(false), "{text}");
        }
        for text in ["unknown", "UNDEFINED", "n/a", " ", "NO ORAL CONTRAST", "no known allergies"] {
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
            "NON-IONIC",
            "IV NON-IONIC 100ML",
            "IV, NO ORAL",
            "IV W/O ORAL",
            "Hexabrix, no oral",
            "IV 80 ml, no prior reaction",
            "CONTRASTE NO IONICO",
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
            "HEAD +C 5.0",
            "Head IV+",
            "craneo c/c",
            "cabeça c/ contraste",
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
            "HEAD W/OUT CONTRAST",
            "CT HEAD W O CONTRAST",
            "HEAD W-O CONTRAST",
            "HEAD W.O. CONTRAST",
            "HEAD WITH OUT CONTRAST",
            "craneo s/c",
        ];
        for text in without {
            assert_eq!(by_description(text), Some(false), "{text}");
        }
        let neither = [
            "HEAD 5.0 H31s",
            "Head C-",
            "low contrast",
            "HEAD WITH C-SPINE",
            "head w/c-spine 5.0",
            "Kopf mit C-Bogen",
            "AC+PC line",
            "DSC+CT",
        ];
        for text in neither {
            assert_eq!(by_description(text), None, "{text}");
        }
    }
}
