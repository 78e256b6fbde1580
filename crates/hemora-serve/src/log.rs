//! The log of a node, on standard error: what happened to studies by their UIDs, and nothing of patients.

use tracing_subscriber::EnvFilter;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Begins the log of this program. `HEMORA_LOG` says how much it holds, such as `debug` or
/// `hemora_serve=debug,warn`; `info` if it is not set. A second call does nothing.
pub fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("HEMORA_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only if there is a log already.
    let _ = match format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
