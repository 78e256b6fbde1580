//! Over TLS the server's certificate must be one of the system's, or of `SSL_CERT_FILE`.

use hemora_objects::Place;
use hemora_testing::ObjectStorage;

use crate::{child, error_with, told};

#[test]
fn a_server_with_tls_is_asked_if_its_certificate_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut server) = ObjectStorage::start_with_tls("scans", folder.path()) else { return };
    let endpoint = server.endpoint();
    assert!(endpoint.starts_with("https://"), "{endpoint}");
    let error = error_with(&server, &[("AWS_ALLOW_HTTP", "")]);
    assert!(error.contains(&format!("{endpoint} cannot be reached")), "{error}");
    assert!(error.contains("certificate"), "{error}");
    let mut asks = child(&server, "tls::writes_and_reads", &[&server.url("a")]);
    asks.env("SSL_CERT_FILE", folder.path().join("authority.pem")).env_remove("AWS_ALLOW_HTTP");
    let output = asks.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.keys(), ["a/b"]);
}

#[test]
#[ignore = "run by a_server_with_tls_is_asked_if_its_certificate_is_known"]
fn writes_and_reads() {
    let place = Place::parse(&told()[0]).unwrap();
    place.write("b", b"over TLS").unwrap();
    assert_eq!(place.read("b", 10).unwrap().unwrap(), b"over TLS");
}
