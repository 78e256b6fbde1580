//! The node over https.

use std::path::Path;

use hemora_serve::{Config, Node};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Guarded;
use crate::node::model;

/// Writes a certificate of 127.0.0.1 and its key; their settings, and the certificate.
fn certificate(folder: &Path) -> (String, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    (format!("tls = {{ cert = {cert:?}, key = {key:?} }}\n"), made.cert.der().to_vec())
}

fn agent(root: Option<&[u8]>) -> ureq::Agent {
    let roots = root.map(|der| RootCerts::new_with_certs(&[Certificate::from_der(der).to_owned()]));
    let tls = TlsConfig::builder().root_certs(roots.unwrap_or(RootCerts::WebPki)).build();
    ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().into()
}

#[test]
fn https_is_spoken_to_who_knows_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, certificate) = certificate(folder.path());
    let guarded = Guarded::start(&settings);
    assert!(guarded.node().setup().unwrap().starts_with("https://127.0.0.1:"));
    let base = format!("https://{}", guarded.http());
    let known = agent(Some(&certificate));
    let reply = known.get(format!("{base}/live")).call().unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["strict-transport-security"], "max-age=31536000");

    let set_up = serde_json::json!({
        "setup": guarded.secret(), "name": "Anna", "password": super::PASSWORD,
    });
    let post = |origin: &str| {
        let request = known.post(format!("{base}/api/v1/setup"));
        let request = request.header("content-type", "application/json").header("x-hemora", "1");
        request.header("origin", origin).send(set_up.to_string()).unwrap()
    };
    assert_eq!(
        post(&base.replace("https", "http")).status(),
        403,
        "another scheme is another site"
    );
    let reply = post(&base);
    assert_eq!(reply.status(), 200);
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let session = known.get(format!("{base}/api/v1/session")).header("cookie", cookie).call();
    assert_eq!(session.unwrap().status(), 200);

    let stranger = agent(None).get(format!("{base}/live")).call();
    assert!(stranger.is_err(), "nobody vouches for the certificate: {stranger:?}");
    let plain = agent(None).get(format!("http://{}/live", guarded.http())).call();
    assert!(plain.is_err(), "clear text is not spoken: {plain:?}");
    assert_eq!(known.get(format!("{base}/live")).call().unwrap().status(), 200);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, _) = certificate(folder.path());
    let problem = || {
        let text = format!(
            "[node]\ndata = {:?}\n[dicom]\nlisten = \"127.0.0.1:0\"\n[http]\n\
             listen = \"127.0.0.1:0\"\n{settings}",
            folder.path().join("data").display().to_string(),
        );
        Node::start(Config::parse(&text).unwrap(), model).err().map(|error| error.to_string())
    };
    let key = folder.path().join("key.pem");
    std::fs::write(&key, "no key").unwrap();
    assert!(problem().unwrap().contains("key.pem"));
    let other = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&key, other.serialize_pem()).unwrap();
    let of_another = problem().unwrap();
    assert!(of_another.contains("key.pem") && of_another.contains("cert.pem"), "{of_another}");
    std::fs::write(folder.path().join("cert.pem"), "").unwrap();
    assert!(problem().unwrap().contains("cert.pem"));
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    assert!(problem().unwrap().contains("cert.pem"));
}
