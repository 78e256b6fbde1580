//! Whether the destinations of a configuration, and its database, answer.

use super::{Config, Destination};
use crate::deliver::{connect, dicom_destination};
use crate::forms::Templates;
use crate::opening;

/// What came of calling a destination or the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialled {
    /// Name of the destination, or `database`.
    pub name: String,
    /// What was done, such as `C-ECHO to PACS at 10.1.2.9:104`.
    pub call: String,
    /// Why it does not answer.
    pub problem: Option<String>,
}

/// Calls the database that several nodes share; `None` for one in the data folder.
pub fn check_database(config: &Config) -> Option<Dialled> {
    let problem = match config.shared_database() {
        Ok(None) => return None,
        Ok(Some(shared)) => opening::check(&shared).err(),
        Err(error) => Some(error),
    };
    let call = format!("connection to {}", config.database.url);
    let problem = problem.map(|error| error.to_string());
    Some(Dialled { name: "database".to_owned(), call, problem })
}

/// Calls every destination: C-ECHO, or a connection that is closed again.
pub fn check_destinations(config: &Config) -> Vec<Dialled> {
    config.destinations.iter().map(|destination| dial(config, destination)).collect()
}

fn dial(config: &Config, destination: &Destination) -> Dialled {
    let (call, result) = match destination {
        Destination::Dicom(it) => {
            let echo = dicom_destination(config, it)
                .and_then(|peer| hemora_dimse::echo(&peer).map_err(|error| error.to_string()));
            (format!("C-ECHO to {} at {}", it.ae, it.host), echo.map(drop))
        }
        Destination::Hl7(it) => {
            let template = Templates::read(std::slice::from_ref(destination));
            let template = template.map(drop).map_err(|error| error.to_string());
            (format!("connection to {}", it.host), template.and_then(|()| dial_host(&it.host)))
        }
        Destination::Fhir(it) => (format!("connection to {}", it.url), connect_url(&it.url)),
        Destination::Webhook(it) => {
            let secret = std::fs::read(&it.secret_file).map(drop);
            let secret = secret.map_err(|error| format!("{}: {error}", it.secret_file.display()));
            (format!("connection to {}", it.url), secret.and_then(|()| connect_url(&it.url)))
        }
    };
    Dialled { name: destination.name().to_owned(), call, problem: result.err() }
}

/// Opens a connection and closes it.
fn dial_host(host: &str) -> Result<(), String> {
    connect(host).map(drop)
}

fn connect_url(url: &str) -> Result<(), String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = if scheme == "http" { 80 } else { 443 };
    match host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        true => dial_host(host),
        false => dial_host(&format!("{host}:{port}")),
    }
}
