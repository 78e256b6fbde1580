//! A server that fails is asked again, and in the end the failure is named.

use std::net::TcpListener;

use hemora_objects::Place;
use hemora_testing::ObjectStorage;

use crate::{error_with, place};

#[test]
fn what_fails_twice_is_asked_a_third_time() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "a");
    let bytes = vec![7; 3 << 20];
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    for (kind, requests) in [("500", 3), ("503", 3), ("drop", 3), ("slow", 1)] {
        server.requests();
        server.fail(2, kind, "PUT", "a/");
        place.write(kind, &bytes).unwrap();
        assert_eq!(server.requests().0.len(), requests, "{kind}");
        server.heal();
    }
    for kind in ["500", "503", "slow", "drop", "cut"] {
        // A download that breaks off goes on where it was.
        server.fail(1, kind, "GET", "a/500");
        assert_eq!(place.read("500", 4 << 20).unwrap().unwrap(), bytes, "{kind}");
        server.fail(1, kind, "GET", "a/500");
        assert!(place.fetch("500", &copy).unwrap());
        assert_eq!(std::fs::read(&copy).unwrap(), bytes, "{kind}");
    }
    for kind in ["500", "503", "drop"] {
        server.fail(2, kind, "GET", "list-type");
        assert_eq!(place.list("").unwrap().len(), 4, "{kind}");
    }
}

#[test]
fn what_goes_on_failing_is_named_and_changes_nothing() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "a");
    place.write("b", b"earlier").unwrap();
    server.fail(100, "503", "*", "a/b");
    let endpoint = server.endpoint();
    let expected = format!(
        "s3://scans/a/b: {endpoint} fails (SlowDown: told to fail; asked 3 times); try again later"
    );
    assert_eq!(place.write("b", b"later").unwrap_err().to_string(), expected);
    assert_eq!(place.read("b", 10).unwrap_err().to_string(), expected);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    std::fs::write(&copy, "as it was").unwrap();
    assert_eq!(place.fetch("b", &copy).unwrap_err().to_string(), expected);
    server.heal();
    // The body breaks off again and again.
    server.fail(100, "cut", "GET", "a/b");
    let error = place.fetch("b", &copy).unwrap_err().to_string();
    assert!(error.starts_with(&format!("s3://scans/a/b: {endpoint} ")), "{error}");
    assert_eq!(std::fs::read(&copy).unwrap(), b"as it was");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    server.heal();
    assert_eq!(place.read("b", 10).unwrap().unwrap(), b"earlier");
    server.fail(100, "500", "GET", "list-type");
    let error = place.list("").unwrap_err().to_string();
    assert!(error.starts_with("s3://scans/a: ") && error.contains("asked 3 times"), "{error}");
}

#[test]
fn who_is_refused_reads_why_and_no_secret() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    server.check_credentials();
    let place = place(&server, "a");
    place.write("b", b"mine").unwrap();
    let secret = server.secret();
    assert!(!format!("{place:?} {place}").contains(&secret));
    let wrong = "wrongwrongwrongwrong";
    for change in [("AWS_SECRET_ACCESS_KEY", wrong), ("AWS_ACCESS_KEY_ID", wrong)] {
        let error = error_with(&server, &[change]);
        assert!(error.starts_with("s3://scans/a/b: http://127.0.0.1:"), "{error}");
        assert!(
            error.contains("refuses access") && error.contains("check AWS_ACCESS_KEY_ID"),
            "{error}"
        );
        assert!(!error.contains(wrong) && !error.contains(&secret), "{error}");
    }
    let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let error = error_with(&server, &nobody);
    assert!(error.starts_with("s3://scans/a/b: no credentials for object storage"), "{error}");
    let error = error_with(&server, &nobody[..1]);
    assert!(error.contains("variables") && !error.contains(&secret), "{error}");
}

#[test]
fn a_bucket_or_a_server_that_is_not_there_is_named() {
    let Some(server) = ObjectStorage::start("scans") else { return };
    let elsewhere = Place::parse_with_variables("s3://scams/a", &server.variables()).unwrap();
    let endpoint = server.endpoint();
    let no_bucket =
        format!("there is no bucket \"scams\" at {endpoint}; check its name and AWS_ENDPOINT_URL");
    let errors = [
        elsewhere.read("b", 1).unwrap_err(),
        elsewhere.write("b", b"").unwrap_err(),
        elsewhere.list("").unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().ends_with(&no_bucket), "{error}");
    }
    // A port that nobody listens at.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = error_with(&server, &[("AWS_ENDPOINT_URL", &format!("http://{closed}"))]);
    assert!(error.contains(&format!("http://{closed} cannot be reached")), "{error}");
    assert!(error.contains("asked 3 times") && error.contains("AWS_ENDPOINT_URL"), "{error}");
    let error = error_with(&server, &[("AWS_ALLOW_HTTP", "")]);
    assert!(error.contains("has no TLS") && error.contains("AWS_ALLOW_HTTP=true"), "{error}");
}
