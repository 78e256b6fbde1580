//! Names of users and tokens, and passwords that are taken.

/// Longest name, characters.
const LONGEST_NAME: usize = 64;

/// Shortest password, characters: SP 800-63B asks for 8 and more where there is no second factor.
const SHORTEST_PASSWORD: usize = 12;

/// Longest password, bytes: enough for any sentence, and bounds what is hashed.
const LONGEST_PASSWORD: usize = 256;

/// Checks a name: 1 to 64 ASCII letters, digits and `.-_@`, the first a letter or digit. Others look alike
/// (Cyrillic а), and `..` would be another path.
///
/// # Errors
/// What is wrong, and what to do.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let usual = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && name.len() <= LONGEST_NAME && name.chars().all(usual) {
        true => Ok(()),
        false => Err(format!(
            "a name has 1 to {LONGEST_NAME} letters (a to z), digits and . - _ @, and begins with a letter \
             or digit"
        )),
    }
}

/// Checks a password that is to be set.
///
/// # Errors
/// What is wrong, and what to do.
pub(crate) fn check_password(name: &str, password: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        return Err(format!(
            "the password has {length} characters; at least {SHORTEST_PASSWORD} are needed, such as four words"
        ));
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(format!("the password is longer than {LONGEST_PASSWORD} bytes"));
    }
    if password.trim().eq_ignore_ascii_case(name) {
        return Err("the password is the name; choose another one".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "Anna", "n.n@ward-3", "4711", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "x".repeat(65);
        for name in
            ["", ".", "..", ".a", "-a", "a b", "a/b", "a:b", "a\\b", "Аnna", "<b>", "a\0", &long]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn passwords_are_long_and_not_the_name() {
        assert!(check_password("anna", "correct horse").is_ok());
        assert!(check_password("anna", "ünglückliche").is_ok(), "characters are counted");
        assert!(check_password("anna", "elevenchars").unwrap_err().contains("11"));
        assert!(check_password("anna", &"x".repeat(257)).is_err());
        assert!(check_password("anna.longname", "ANNA.longname ").is_err());
    }
}
