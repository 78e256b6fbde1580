//! Deliveries by HTTP: FHIR transactions and webhooks.

use std::path::Path;
use std::time::Duration;

use hemora_interop::sign;
use hemora_store::Delivery;

use crate::config::{FhirDestination, WebhookDestination};

/// How long a server may take in all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an answer that are shown.
const SHOWN: u64 = 300;

/// Posts a transaction to a FHIR server; what it answered.
pub(super) fn send_fhir(to: &FhirDestination, delivery: &Delivery) -> Result<String, String> {
    let mut headers = vec![("Content-Type", "application/fhir+json".to_owned())];
    if let Some(file) = &to.token_file {
        let token = read_secret(file)?;
        let token = String::from_utf8(token).map_err(|_| format!("{}: no text", file.display()))?;
        headers.push(("Authorization", format!("Bearer {token}")));
    }
    post(&to.url, &headers, &delivery.payload)
}

/// Posts signed JSON; what the server answered.
pub(super) fn send_webhook(to: &WebhookDestination, delivery: &Delivery) -> Result<String, String> {
    let secret = read_secret(&to.secret_file)?;
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("X-Hemora-Signature", sign(&secret, &delivery.payload)),
        ("X-Hemora-Delivery", delivery.id.to_string()),
    ];
    post(&to.url, &headers, &delivery.payload)
}

/// The content of a file without the line's end.
fn read_secret(file: &Path) -> Result<Vec<u8>, String> {
    let mut secret = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    while secret.last().is_some_and(u8::is_ascii_whitespace) {
        secret.pop();
    }
    match secret.is_empty() {
        true => Err(format!("{} is empty; write the secret into it", file.display())),
        false => Ok(secret),
    }
}

fn post(url: &str, headers: &[(&str, String)], body: &[u8]) -> Result<String, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // A secret does not follow to wherever a server points.
        .max_redirects(0)
        .build()
        .into();
    let mut request = agent.post(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.send(body).map_err(|error| format!("{url}: {error}"))?;
    let status = response.status();
    if status.is_success() {
        return Ok(status.to_string());
    }
    let body = response.body_mut().with_config().limit(SHOWN).lossy_utf8(true).read_to_string();
    let shown = hemora_base::printable(&body.unwrap_or_default()).to_string();
    Err(format!("{url} answered {status} {shown}"))
}
