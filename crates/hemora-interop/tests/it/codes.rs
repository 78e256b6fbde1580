//! That the codes are those of the standard, as pydicom prints it.

use hemora_interop::codes;
use serde_json::json;

/// Prints, for each code, the meanings that pydicom's tables give it; none if they do not have it.
const TABLES: &str = r#"
import json, sys
from pydicom.sr._concepts_dict import concepts
json.dump([[meaning for entry in concepts.get(scheme, {}).values() for code, (meaning, _) in entry.items() if code == value]
    for value, scheme in json.load(sys.stdin)], sys.stdout)
"#;

/// Codes that pydicom's tables do not have; how they were checked stands in `codes.rs`.
const BY_HAND: [&str; 6] = ["en", "705057003", "274100004", "21454007", "35486000", "82999001"];

#[test]
fn codes_mean_what_the_standard_says() {
    let Some(python) = hemora_testing::python() else { return };
    let codes = codes::standard_codes();
    let pairs: Vec<_> = codes.iter().map(|code| [code.value, code.scheme]).collect();
    let input = json!(pairs).to_string();
    let output = hemora_testing::run_python(&python, TABLES, &[""; 0], input.as_bytes());
    let meanings: Vec<Vec<String>> = serde_json::from_slice(&output).unwrap();
    for (code, meanings) in codes.iter().zip(meanings) {
        let plain = |text: &str| text.split(" (").next().unwrap_or_default().to_lowercase();
        let known = meanings.iter().any(|meaning| plain(meaning) == plain(code.meaning));
        assert_eq!(known, !BY_HAND.contains(&code.value), "{code:?}: {meanings:?}");
    }
}
