//! Secrets that nobody guesses: 256 random bits. The node keeps their SHA-256 only, which is enough for
//! what cannot be guessed; passwords have a slow hash instead.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// How tokens of programs begin, so that scanners for leaked secrets can find them.
pub(crate) const TOKEN: &str = "hemora_";

/// A fresh secret, 43 characters that a URL and a cookie may hold.
pub(crate) fn fresh() -> String {
    let mut bytes = [0; 32];
    // Without random bytes no secret may be made, and the operating system always has some.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the node keeps of a secret.
pub(crate) fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hold_256_bits() {
        let (one, other) = (fresh(), fresh());
        assert_ne!(one, other);
        assert_eq!(URL_SAFE_NO_PAD.decode(&one).unwrap().len(), 32);
        assert_ne!(hash_of(&one), hash_of(&other));
    }
}
