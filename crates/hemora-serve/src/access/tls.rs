//! TLS of the HTTP listener: rustls with ring, 1.2 and 1.3.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ConfigError, Tls};

/// Reads certificate and key.
///
/// # Errors
/// [`ConfigError::File`] names the file that cannot be used.
pub(crate) fn server_config(tls: &Tls) -> Result<Arc<ServerConfig>, ConfigError> {
    let certificates = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(&tls.cert, error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(&tls.cert, "holds no certificate in PEM".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| unusable(&tls.key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| {
            unusable(&tls.key, format!("does not go with {}: {error}", tls.cert.display()))
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unusable(path: &Path, problem: String) -> ConfigError {
    ConfigError::File { path: path.to_owned(), problem }
}
