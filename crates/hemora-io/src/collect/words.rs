//! The words of a free text in a header, whatever the language: without case, accents and marks.

/// The words of a text in lower case and without accents: split at everything that is no letter, and
/// where a capital follows a small letter (`HeadBone`). A word behind a negation is left out: “w/o
/// scout” does not say “scout”.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut kept = Vec::new();
    let mut negated = false;
    for word in all_words(text) {
        if is_negation(&word) {
            negated = true;
        } else if std::mem::take(&mut negated) {
            continue;
        } else {
            kept.push(word);
        }
    }
    kept
}

/// The words of a text with its negations; “w/o”, “w/”, “s/” and “c/” are whole words.
pub(crate) fn all_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for letter in text.chars() {
        // Combining accents, as in a decomposed “é”, belong to the letter before them.
        if ('\u{300}'..='\u{36f}').contains(&letter) {
            continue;
        }
        let is_abbreviation = letter == '/' && ["w", "s", "c"].contains(&&*word);
        if is_abbreviation {
            words.push(std::mem::take(&mut word) + "/");
        } else if !letter.is_alphabetic() || (letter.is_uppercase() && before.is_lowercase()) {
            end(&mut word, &mut words);
        }
        if letter.is_alphabetic() {
            letter.to_lowercase().for_each(|letter| without_accent(letter, &mut word));
        }
        before = letter;
    }
    end(&mut word, &mut words);
    words
}

fn end(word: &mut String, words: &mut Vec<String>) {
    // “w/o” comes here as “w/” and “o”; “W O”, “W.O.”, “W/OUT” and “WITH OUT” are the same.
    let is_with = |last: &String| ["w", "w/", "with"].contains(&&**last);
    if ["o", "out"].contains(&&**word) && words.last().is_some_and(is_with) {
        words.pop();
        "w/o".clone_into(word);
    }
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// Words that say that what follows is not there, in several languages.
pub(crate) fn is_negation(word: &str) -> bool {
    const NEGATIONS: &[&str] = &[
        "no", "non", "not", "without", "wo", "w/o", "none", "ohne", "kein", "keine", "nicht",
        "sin", "s/", "sans", "pas", "sem", "nao", "senza", "niente", "zonder", "geen", "nil",
        "minus", "nie", "ingen", "utan",
    ];
    NEGATIONS.contains(&word)
}

fn without_accent(letter: char, word: &mut String) {
    word.push(match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        'ß' => return word.push_str("ss"),
        'æ' => return word.push_str("ae"),
        'œ' => return word.push_str("oe"),
        other => other,
    });
}

/// Whether a word is one of `whole`, or begins with one of `stems`, of which compounds are made.
pub(crate) fn is_one(word: &str, whole: &[&str], stems: &[&str]) -> bool {
    whole.contains(&word) || stems.iter().any(|stem| word.starts_with(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_without_accents() {
        assert_eq!(words("Tejidos blandos 5mm"), ["tejidos", "blandos", "mm"]);
        assert_eq!(words("HEAD_BONE1.0"), ["head", "bone"]);
        assert_eq!(words("AxHeadBone"), ["ax", "head", "bone"]);
        assert_eq!(words("Óseo / crâne d’os Größe"), ["oseo", "crane", "d", "os", "grosse"]);
        assert_eq!(words("e\u{301}paule"), ["epaule"]);
        assert_eq!(words("HEAD W/O SCOUT"), ["head"]);
        assert_eq!(words("Kopf ohne KM Knochen"), ["kopf", "knochen"]);
        assert_eq!(all_words("craneo s/c"), ["craneo", "s/", "c"]);
        assert_eq!(all_words("head w/ contrast"), ["head", "w/", "contrast"]);
        for without in ["W/O", "w o", "W.O.", "W-O", "W/OUT", "with out", "With-Out", "WITH/OUT"] {
            assert_eq!(
                all_words(&format!("head {without} km")),
                ["head", "w/o", "km"],
                "{without}"
            );
        }
        assert!(words("").is_empty() && words("5.0 / ─ 1").is_empty());
    }
}
