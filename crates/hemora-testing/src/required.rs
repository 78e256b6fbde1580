//! What happens where something that a test needs is not there.

use std::env;

/// Set to anything but `0` or nothing, it makes a missing peer a failure.
const REQUIRE: &str = "HEMORA_REQUIRE_PEERS";

/// Passes `found` on; where there is nothing, a line on stderr says that the test is skipped, what is
/// missing and how to get it.
///
/// # Panics
/// Instead of skipping, if `HEMORA_REQUIRE_PEERS` is set.
pub fn require<T>(found: Option<T>, missing: &str, remedy: &str) -> Option<T> {
    if found.is_none() {
        assert!(!is_required(), "{missing} is missing, and {REQUIRE} is set: {remedy}");
        skip(missing, remedy);
    }
    found
}

/// Says on stderr that a test is skipped.
pub(crate) fn skip(missing: &str, remedy: &str) {
    eprintln!("skipped: {missing} is missing; {remedy}");
}

fn is_required() -> bool {
    env::var_os(REQUIRE).is_some_and(|value| !value.is_empty() && value != "0")
}
