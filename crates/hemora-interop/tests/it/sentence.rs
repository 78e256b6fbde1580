//! The result in words.

use hemora_interop::{Class, Verdict, report_sentence};

use crate::support::{full, hostile, not_sure};

#[test]
fn the_result_reads_as_plain_english() {
    assert_eq!(
        report_sentence(&full()),
        "Intracranial hemorrhage: present (97 %). Subtypes: subdural present (84 %), intraventricular \
         not sure (31 %) because the slices are 10 mm apart. Most suspicious slice at z 15.0 mm: 97 %. \
         Hemora, model lite 3. For research use only. \
         Not a medical device, not for diagnosis or treatment."
    );
    assert_eq!(
        report_sentence(&not_sure()),
        "Intracranial hemorrhage: not sure (43 %) because half of the head is missing. Subtypes: \
         subdural present (84 %), intraventricular not sure (31 %) because the slices are 10 mm apart. \
         Images may have been missing when the study was scored. Hemora, model lite 3, revision 2, \
         which supersedes earlier ones. For research use only. \
         Not a medical device, not for diagnosis or treatment."
    );
    let mut negative = full();
    negative.class = Class::Negative;
    negative.key_images.clear();
    for finding in &mut negative.findings {
        (finding.presence, finding.probability) = (Verdict::Absent, 0.002);
    }
    assert_eq!(
        report_sentence(&negative),
        "Intracranial hemorrhage: absent (<1 %). Hemora, model lite 3. For research use only. \
         Not a medical device, not for diagnosis or treatment."
    );
}

#[test]
fn the_sentence_names_nobody() {
    let sentence = report_sentence(&full());
    for secret in ["Doe", "4711", "1950", "A-2026", "3680043"] {
        assert!(!sentence.contains(secret), "{secret}");
    }
    assert!(!report_sentence(&hostile()).chars().any(char::is_control));
}
