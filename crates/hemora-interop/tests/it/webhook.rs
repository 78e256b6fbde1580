//! What a webhook gets, and that its signature is the one that others compute.

use hemora_interop::{sign, webhook_body};
use serde_json::{Value, json};

use crate::support::{full, hostile};

#[test]
fn signatures_are_those_of_python() {
    let Some(python) = hemora_testing::python() else { return };
    let program = "import hmac, sys; \
        sys.stdout.write('sha256=' + hmac.new(bytes.fromhex(sys.argv[1]), sys.stdin.buffer.read(), 'sha256').hexdigest())";
    for secret in [&b""[..], b"secret", &[0xff; 200]] {
        for body in [webhook_body(&full(), true), webhook_body(&hostile(), false), vec![]] {
            let key: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            let signed = hemora_testing::run_python(&python, program, &[&key], &body);
            assert_eq!(sign(secret, &body).as_bytes(), signed);
        }
    }
}

#[test]
fn the_body_holds_the_result_and_whose_it_is_only_if_told() {
    let body: Value = serde_json::from_slice(&webhook_body(&full(), true)).unwrap();
    assert_eq!(body["schema_version"], 1);
    assert_eq!(body["class"], "positive");
    assert_eq!(body["findings"][0]["probability"], 0.9732);
    assert_eq!(body["findings"][3]["presence"], "not_sure");
    assert_eq!(body["findings"][3]["label"], "intraventricular");
    assert_eq!(body["key_images"][0]["probabilities"]["subdural"], 0.9);
    assert_eq!(body["key_images"][2]["frame"], 4);
    assert_eq!(body["made_at"], "2026-11-28T00:30:05+01:00");
    assert_eq!(body["patient"]["patient_id"], "P-4711");
    assert_eq!(webhook_body(&full(), true), webhook_body(&full(), true));

    let plain = String::from_utf8(webhook_body(&full(), false)).unwrap();
    for secret in ["Doe", "Jane", "4711", "1950", "A-2026-1", "House", "GENERAL", "patient"] {
        assert!(!plain.contains(secret), "{secret}");
    }
    let plain: Value = serde_json::from_str(&plain).unwrap();
    assert_eq!(plain["study_instance_uid"], json!("1.2.826.0.1.3680043.8.498.5"));
}
