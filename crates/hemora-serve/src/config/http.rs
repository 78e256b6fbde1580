//! Section of HTTP: who reaches the node, and how it knows them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::destination::check_url;
use super::{ConfigError, units};

/// HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSection {
    /// Address to listen at. Beyond this machine only with a login, and with `tls` or `trusted_proxy`.
    pub listen: SocketAddr,
    /// How the node's pages are reached, for links in results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Whether people log in. Without it everybody at this machine is an administrator.
    pub login: bool,
    /// Address of a study in another viewer, with `{study}` where its StudyInstanceUID belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ohif_url: Option<String>,
    /// Certificate and key, for https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// A proxy that says who the user is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxy: Option<TrustedProxy>,
    /// When sessions end.
    pub sessions: Sessions,
}

/// Certificate and key, for https.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate, and those between it and the authority.
    pub cert: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

/// A proxy that says who the user is. It must remove these headers from what it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedProxy {
    /// Its address: nobody else is answered.
    pub addr: IpAddr,
    /// Header with the name of the user.
    pub user_header: String,
    /// Header with their role (`reader`, `imaging-team`, `administrator`); without it the node has users,
    /// and their roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_header: Option<String>,
}

/// When sessions end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// After the login, whatever happens.
    #[serde(with = "units")]
    pub absolute: Duration,
    /// After the last request.
    #[serde(with = "units")]
    pub idle: Duration,
}

/// A login that lasts longer is a stolen one in waiting.
const LONGEST_SESSION: Duration = Duration::from_secs(30 * 24 * 3600);

impl Default for Sessions {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Self { absolute: minutes(12 * 60), idle: minutes(30) }
    }
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8050)),
            public_url: None,
            login: true,
            ohif_url: None,
            tls: None,
            trusted_proxy: None,
            sessions: Sessions::default(),
        }
    }
}

impl HttpSection {
    /// Where people reach the pages, if HTTP listens at `address`.
    pub(crate) fn base(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_who_may()?;
        if let Some(url) = &self.public_url {
            check_url("http.public_url", url)?;
        }
        if let Some(url) = &self.ohif_url {
            check_url("http.ohif_url", url)?;
            if !url.contains("{study}") {
                let problem = format!(
                    "is {url:?}; write {{study}} where the StudyInstanceUID belongs, such as \
                     \"https://pacs.example/viewer?StudyInstanceUIDs={{study}}\""
                );
                return Err(ConfigError::value("http.ohif_url", problem));
            }
        }
        self.trusted_proxy.as_ref().map_or(Ok(()), TrustedProxy::check)?;
        self.sessions.check()
    }

    /// Nobody reaches the node from outside without a login, or with one in clear text.
    fn check_who_may(&self) -> Result<(), ConfigError> {
        let here = self.listen.ip().is_loopback();
        if !self.login && (!here || self.trusted_proxy.is_some()) {
            let problem = "is false, which makes everybody an administrator: that is for this machine alone, \
                           without `trusted_proxy`, at 127.0.0.1";
            return Err(ConfigError::value("http.login", problem));
        }
        if here || self.tls.is_some() || self.trusted_proxy.is_some() {
            return Ok(());
        }
        let problem = format!(
            "is {}, which others can reach, and passwords would be sent in clear text: set `tls = {{ cert = \
             \"…\", key = \"…\" }}`, or `trusted_proxy = {{ addr = \"…\", user_header = \"…\" }}` for a proxy \
             that authenticates, or listen at 127.0.0.1",
            self.listen
        );
        Err(ConfigError::value("http.listen", problem))
    }
}

impl TrustedProxy {
    fn check(&self) -> Result<(), ConfigError> {
        // Headers that mean something else, and that a browser may set.
        const OTHERS: [&str; 6] =
            ["host", "cookie", "authorization", "origin", "x-hemora", "content-type"];
        let headers =
            [("user_header", Some(&self.user_header)), ("role_header", self.role_header.as_ref())];
        for (key, header) in headers {
            let Some(header) = header else { continue };
            let parsed = header.parse::<axum::http::HeaderName>();
            if parsed.is_err() || OTHERS.contains(&header.to_ascii_lowercase().as_str()) {
                let problem = format!("is {header:?}; write a header such as \"x-remote-user\"");
                return Err(ConfigError::value(format!("http.trusted_proxy.{key}"), problem));
            }
        }
        if self.role_header.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&self.user_header)) {
            let problem = "is the header of the user";
            return Err(ConfigError::value("http.trusted_proxy.role_header", problem));
        }
        Ok(())
    }
}

impl Sessions {
    fn check(&self) -> Result<(), ConfigError> {
        if self.absolute > LONGEST_SESSION || self.absolute < Duration::from_secs(1) {
            let problem = "is not from 1s to 30d; 12h is a shift";
            return Err(ConfigError::value("http.sessions.absolute", problem));
        }
        if self.idle > self.absolute || self.idle < Duration::from_secs(1) {
            let problem = "is not from 1s to `absolute`; 30m is usual";
            return Err(ConfigError::value("http.sessions.idle", problem));
        }
        Ok(())
    }
}
