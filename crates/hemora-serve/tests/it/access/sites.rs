//! What pages of other sites can do, which is nothing.

use serde_json::json;

use super::Guarded;
use super::browser::Browser;

#[test]
fn a_change_needs_the_header_and_a_page_of_this_node() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let own = format!("http://{}", guarded.http());
    let new = json!({ "name": "cron", "scope": "read" });
    type Headers<'a> = &'a [(&'static str, &'a str)];
    let tried: [(Headers<'_>, u16, &str); 10] = [
        (&[], 403, "x-hemora"),
        (&[("origin", &own)], 403, "x-hemora"),
        (&[("x-hemora", "1"), ("origin", "https://evil.example")], 403, "evil.example"),
        (&[("x-hemora", "1"), ("origin", "null")], 403, "null"),
        (&[("x-hemora", "1"), ("origin", "http://127.0.0.1:1")], 403, "127.0.0.1:1"),
        (&[("x-hemora", "1"), ("sec-fetch-site", "cross-site")], 403, "another site"),
        (&[("x-hemora", "1"), ("sec-fetch-site", "same-site")], 403, "another site"),
        (&[("x-hemora", "1"), ("origin", &own), ("sec-fetch-site", "same-origin")], 200, ""),
        (&[("x-hemora", "background"), ("origin", &own)], 409, "cron"),
        (&[("x-hemora", "1")], 409, "cron"),
    ];
    for (headers, status, word) in tried {
        administrator.headers =
            headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        let reply = administrator.post("/tokens", &new);
        assert_eq!(reply.status, status, "{headers:?}: {reply:?}");
        assert!(reply.body.contains(word), "{headers:?}: {reply:?}");
    }
    // A token is no excuse: one rule for all.
    administrator.headers = vec![("x-hemora", "1".to_owned())];
    let (mut program, _) = guarded.program(&mut administrator, "operate");
    program.headers.retain(|(name, _)| *name != "x-hemora");
    assert_eq!(program.post("/studies/1.2.3/rescore", &json!({})).status, 403);
}

#[test]
fn other_sites_may_lead_to_pages_and_read_nothing() {
    let (_guarded, mut administrator) = Guarded::with_administrator();
    administrator.headers = vec![("sec-fetch-site", "cross-site".to_owned())];
    for (path, status) in [
        ("/", 200),
        ("/study/1.2.3", 200),
        ("/live", 200),
        ("/api/v1/studies", 403),
        ("/api/v1/session", 403),
        ("/metrics", 403),
    ] {
        assert_eq!(administrator.ask("GET", path, None).status, status, "{path}");
    }
    administrator.headers = vec![("sec-fetch-site", "none".to_owned())];
    assert_eq!(administrator.get("/studies").status, 200, "an address that was typed");
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let mut nobody = Browser::new(guarded.http());
    let replies = [
        administrator.ask("GET", "/", None),
        administrator.get("/studies"),
        nobody.get("/studies"),
        nobody.get("/nowhere"),
    ];
    for reply in replies {
        let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(header("permissions-policy").contains("camera=()"));
        assert!(["no-store", "no-cache"].contains(&header("cache-control").as_str()));
        assert_eq!(header("strict-transport-security"), "", "there is no TLS");
    }
    assert_eq!(administrator.get("/studies").header("cache-control"), Some("no-store"));
    assert!(nobody.get("/studies").header("www-authenticate").is_some());
}

#[test]
fn without_a_login_everybody_at_this_machine_is_an_administrator() {
    let guarded = Guarded::start("login = false\n");
    assert_eq!(guarded.node().setup(), None);
    let mut anyone = Browser::new(guarded.http());
    let session = anyone.get("/session").json();
    assert_eq!(session["name"], "anyone at this machine");
    assert_eq!(session["role"], "administrator");
    assert_eq!(session["login"], false);
    assert!(session.get("ends_at").is_none(), "{session}");
    for path in ["/login", "/password", "/logout"] {
        let body = json!({ "name": "Anna", "password": "x" });
        let body = if path == "/password" { json!({ "old": "x", "new": "x" }) } else { body };
        assert_eq!(anyone.post(path, &body).status, 409, "{path}");
    }
    let setup = json!({ "setup": "", "name": "Anna", "password": super::PASSWORD });
    assert_eq!(anyone.post("/setup", &setup).status, 403);
    assert_eq!(anyone.post("/studies/1.2.3/rescore", &json!({})).status, 404);
}
