//! Every route against everybody.

use serde_json::Value;

use super::browser::{Browser, Reply};
use super::{Guarded, PASSWORD};

/// Who asks, with rank among users and among programs; 0 is none.
struct Somebody {
    name: &'static str,
    role: u8,
    scope: u8,
    browser: Browser,
}

/// The least role and scope that the words of the document let in.
fn needed(words: &str) -> Option<(u8, u8)> {
    const NONE: u8 = u8::MAX;
    match words {
        "For everybody." => None,
        "For readers, and programs with the scope `read`." => Some((1, 2)),
        "For readers." => Some((1, NONE)),
        "For the imaging team, and programs with the scope `operate`." => Some((2, 3)),
        "For the imaging team, and programs with the scope `metrics`." => Some((2, 1)),
        "For the imaging team." => Some((2, NONE)),
        "For administrators." => Some((3, NONE)),
        other => panic!("who is meant by {other:?}?"),
    }
}

/// A path with something for each of its parts, none of which is there.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{uid}" => "1.2.3",
        "{series}" | "{slice}" => "0",
        "{id}" => "999",
        "{name}" => "nobody",
        "{file}" => "app.js",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn everybody(guarded: &Guarded, mut administrator: Browser) -> Vec<Somebody> {
    let reader = guarded.user(&mut administrator, "berta", "reader");
    let team = guarded.user(&mut administrator, "carl", "imaging-team");
    let mut program = |scope| guarded.program(&mut administrator, scope).0;
    let (metrics, read, operate) = (program("metrics"), program("read"), program("operate"));
    let somebody = |name, role, scope, browser| Somebody { name, role, scope, browser };
    vec![
        somebody("nobody", 0, 0, Browser::new(guarded.http())),
        somebody("metrics", 0, 1, metrics),
        somebody("read", 0, 2, read),
        somebody("operate", 0, 3, operate),
        somebody("reader", 1, 0, reader),
        somebody("imaging team", 2, 0, team),
        somebody("administrator", 3, 0, administrator),
    ]
}

#[test]
fn every_route_lets_in_whom_the_document_names_and_nobody_else() {
    let (guarded, administrator) = Guarded::with_administrator();
    let mut everybody = everybody(&guarded, administrator);
    let document = hemora_serve::openapi();
    let mut rows: Vec<(&String, &String, &Value)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        rows.extend(methods.as_object().unwrap().iter().map(|(method, it)| (path, method, it)));
    }
    assert!(rows.len() > 45, "{}", rows.len());
    // It ends the session of whoever may call it.
    rows.sort_by_key(|(path, ..)| path.ends_with("/logout"));
    let mut differs = Vec::new();
    for (path, method, operation) in rows {
        let needed = needed(operation["description"].as_str().unwrap());
        for who in &mut everybody {
            let may = needed.is_none_or(|(role, scope)| who.role >= role || who.scope >= scope);
            let body = (method == "post").then_some("{}");
            let reply = who.browser.ask(&method.to_uppercase(), &filled(path), body);
            let refused = [401, 403].contains(&reply.status);
            let nowhere = reply.status == 405 || reply.body.contains("\"there is no /");
            let right = match (may, who.name) {
                (true, _) => !refused && !nowhere,
                (false, "nobody") => reply.status == 401,
                (false, _) => reply.status == 403,
            };
            if !right {
                let Reply { status, body, .. } = reply;
                differs.push(format!("{method} {path} for {}: {status} {body:.100}", who.name));
            }
        }
    }
    assert!(differs.is_empty(), "{}", differs.join("\n"));
}

#[test]
fn what_is_in_no_table_is_nowhere() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    for (method, path, status) in [
        ("GET", "/api/v2/studies", 404),
        ("GET", "/api/v1", 404),
        ("GET", "/api/v1/studies/", 404),
        ("DELETE", "/api/v1/users/Anna", 405),
        ("PUT", "/api/v1/users/Anna", 405),
        ("GET", "/api/v1/login", 405),
        ("OPTIONS", "/api/v1/studies", 405),
        ("TRACE", "/api/v1/studies", 405),
        ("HEAD", "/live", 200),
    ] {
        let reply = administrator.ask(method, path, None);
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        assert!(reply.header("access-control-allow-origin").is_none(), "{method} {path}");
    }
    let mut nobody = Browser::new(guarded.http());
    assert_eq!(nobody.ask("HEAD", "/api/v1/studies", None).status, 401);
}

#[test]
fn a_path_leads_nowhere_else() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let ups =
        ["../", "..%2f", "%2e%2e%2f", "..%5c", "%2e%2e/", "....//", "..%00/", "%252e%252e%252f"];
    for up in ups {
        for from in ["/page/", "/api/v1/studies/"] {
            for to in ["etc/passwd", "hemora.db", "Cargo.toml%00.js"] {
                let path = format!("{from}{}{to}", up.repeat(6));
                let reply = administrator.ask("GET", &path, None);
                assert!([400, 404].contains(&reply.status), "{path}: {reply:?}");
                let told = reply.body.contains("root:") || reply.body.contains("SQLite");
                assert!(!told, "{path}: {reply:?}");
            }
        }
    }
    for uid in ["%00", "1.2.3%00", "1.2.3%0d%0aset-cookie:a=b", "'%20OR%201=1--", "%ff"] {
        let reply = administrator.get(&format!("/studies/{uid}/result"));
        assert!([400, 404].contains(&reply.status), "{uid}: {reply:?}");
        assert!(reply.header("set-cookie").is_none(), "{uid}");
    }
    let mut nobody = Browser::new(guarded.http());
    assert_eq!(nobody.get("/studies/..%2f..%2flogin").status, 401);
    assert_eq!(nobody.log_in("Anna", PASSWORD).status, 200, "the node goes on");
}
