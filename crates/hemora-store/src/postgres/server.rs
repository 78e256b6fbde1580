//! Where the server is, and how it is spoken to.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Session;
use super::session::with_causes;
use crate::{Durability, SharedDatabase, StoreError};

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a session of ours asks of the server: that it does not wait for a node that is frozen or cut off, and
/// ends its transaction, with the lock.
const SETTINGS: &str = "-c idle_in_transaction_session_timeout=30s -c lock_timeout=60s \
     -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";

/// A server, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// Name of the node.
    pub(super) node: String,
    /// This run of the node, by which it knows its own announcements.
    pub(super) instance: String,
}

// By hand, since the configuration may hold a password.
impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Server({self})")
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().zip(ports(&self.config));
        for (place, (host, port)) in hosts.enumerate() {
            let between = if place == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(formatter, "{between}{name}:{port}")?,
                #[cfg(unix)]
                Host::Unix(folder) => write!(formatter, "{between}{}:{port}", folder.display())?,
            }
        }
        write!(formatter, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

/// The port of each host: one for all, or each its own.
fn ports(config: &Config) -> impl Iterator<Item = u16> {
    let ports = config.get_ports();
    (0..config.get_hosts().len())
        .map(move |place| ports.get(place).or(ports.last()).copied().unwrap_or(5432))
}

impl Server {
    /// Reads where the server is; nothing is called yet.
    pub(crate) fn new(shared: &SharedDatabase, durability: Durability) -> Result<Self, StoreError> {
        let bad = |why: String| StoreError::Unusable { what: "the address of the database", why };
        // What is wrong with an address is said without it: it may hold a password.
        let mut config: Config =
            shared.url.parse().map_err(|error: postgres::Error| bad(with_causes(&error)))?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            let why = "it names no host or no database; write postgres://USER@HOST/DATABASE";
            return Err(bad(why.to_owned()));
        }
        if let Some(password) = &shared.password {
            config.password(password);
        }
        let commit = match durability {
            Durability::Power => "on",
            Durability::Process => "off",
        };
        let own = config.get_options().unwrap_or_default();
        config.options(&format!("{own} {SETTINGS} -c synchronous_commit={commit}"));
        config.application_name(&format!("hemora {}", shared.node));
        config.connect_timeout(PATIENCE).tcp_user_timeout(3 * PATIENCE);
        let tls = shared.certificates.as_deref().map(tls).transpose()?;
        if tls.is_some() {
            config.ssl_mode(SslMode::Require);
        } else if let Some(host) = beyond_this_machine(&config) {
            return Err(bad(format!(
                "{host} is another machine, and images' names would go there unencrypted; name the \
                 file of its certificate authority, or go through a tunnel"
            )));
        }
        let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let begun = begun.unwrap_or_default().as_nanos();
        let instance = format!("{} {} {begun}", shared.node, std::process::id());
        Ok(Self { config, tls, node: shared.node.clone(), instance })
    }

    /// Connects.
    pub(super) fn client(&self) -> Result<Client, StoreError> {
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        connected.map_err(|error| StoreError::Unreachable {
            server: self.to_string(),
            problem: with_causes(&error),
        })
    }

    /// Connects, to run statements.
    pub(crate) fn connect(&self) -> Result<Session, StoreError> {
        Ok(Session::new(self.clone(), self.client()?))
    }
}

/// A host that is not this machine.
fn beyond_this_machine(config: &Config) -> Option<&str> {
    config.get_hosts().iter().find_map(|host| match host {
        Host::Tcp(name) => {
            let local = name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
            (!local).then_some(name.as_str())
        }
        #[cfg(unix)]
        Host::Unix(_) => None,
    })
}

/// TLS with a server whose certificate these authorities vouch for.
fn tls(certificates: &Path) -> Result<MakeRustlsConnect, StoreError> {
    let bad = |why: String| StoreError::Unusable {
        what: "the certificates of the database's authority",
        why: format!("{}: {why}", certificates.display()),
    };
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(certificates).map_err(|it| bad(it.to_string()))?;
    for certificate in found {
        let certificate = certificate.map_err(|it| bad(it.to_string()))?;
        roots.add(certificate).map_err(|it| bad(it.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad("it holds no certificate (PEM)".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|it| bad(it.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(url: &str) -> SharedDatabase {
        SharedDatabase {
            url: url.to_owned(),
            password: Some("topsecret".to_owned()),
            certificates: None,
            node: "a".to_owned(),
        }
    }

    #[test]
    fn a_server_is_named_without_its_password() {
        let url = "postgres://kim:alsosecret@localhost:5433/hemora";
        let server = Server::new(&shared(url), Durability::Power).unwrap();
        assert_eq!(server.to_string(), "localhost:5433/hemora");
        let said = format!("{server:?} {:?}", shared(url));
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn what_cannot_be_used_is_refused_before_anything_is_called() {
        for (url, word) in [
            ("postgres://kim:alsosecret@10.1.2.3/hemora", "another machine"),
            ("postgres://kim:alsosecret@localhost", "no database"),
            ("postgres://kim:alsosecret@localhost:nan/hemora", "address"),
        ] {
            let refused = Server::new(&shared(url), Durability::Power).unwrap_err().to_string();
            assert!(refused.contains(word) && !refused.contains("secret"), "{refused}");
        }
        let mut missing = shared("postgres://kim@db.example/hemora");
        missing.certificates = Some("/nowhere/ca.pem".into());
        let refused = Server::new(&missing, Durability::Power).unwrap_err().to_string();
        assert!(refused.contains("/nowhere/ca.pem"), "{refused}");
    }
}
