//! Sessions: how they begin, and all the ways in which they end.

use std::time::{Duration, Instant};

use serde_json::json;

use super::browser::{Browser, COOKIE};
use super::{ADMINISTRATOR, Guarded, PASSWORD};

#[test]
fn the_first_link_makes_one_administrator_and_ends() {
    let mut guarded = Guarded::start("");
    let mut browser = Browser::new(guarded.http());
    assert_eq!(browser.log_in(ADMINISTRATOR, PASSWORD).status, 401, "nobody is there yet");
    let secret = guarded.secret();
    let set_up = |secret: &str, name: &str, password: &str| json!({ "setup": secret, "name": name, "password": password });
    assert_eq!(browser.post("/setup", &set_up("guessed", "x", PASSWORD)).status, 403);
    assert_eq!(browser.post("/setup", &set_up("", "x", PASSWORD)).status, 403);
    for (name, password, word) in [
        ("x", "too short", "12"),
        ("a/b", PASSWORD, "name"),
        ("administrator", "Administrator", "name"),
    ] {
        let reply = browser.post("/setup", &set_up(&secret, name, password));
        assert_eq!(reply.status, 400, "{name} {password}");
        assert!(reply.error().contains(word), "{reply:?}");
    }
    guarded.restart();
    let mut browser = Browser::new(guarded.http());
    let old = browser.post("/setup", &set_up(&secret, "x", PASSWORD));
    assert_eq!(old.status, 403, "each start makes a new link");
    let reply = guarded.set_up(&mut browser);
    assert_eq!(reply.status, 200, "{reply:?}");
    let session = reply.json();
    assert_eq!(session["name"], ADMINISTRATOR);
    assert_eq!(session["role"], "administrator");
    assert_eq!(session["idle_seconds"], 1800);
    let cookie = reply.header("set-cookie").unwrap();
    for part in [COOKIE, "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(browser.get("/session").json()["name"], ADMINISTRATOR);
    assert_eq!(guarded.set_up(&mut Browser::new(guarded.http())).status, 403, "it was used");
    guarded.restart();
    assert_eq!(guarded.node().setup(), None);
    let mut browser = Browser::new(guarded.http());
    assert_eq!(browser.post("/setup", &set_up("", "x", PASSWORD)).status, 403);
}

#[test]
fn two_who_use_the_link_at_once_make_one_administrator() {
    let guarded = Guarded::start("");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4)
            .map(|index| {
                let (node, secret) = (guarded.http(), guarded.secret());
                scope.spawn(move || {
                    let name = format!("admin{index}");
                    let body = json!({ "setup": secret, "name": name, "password": PASSWORD });
                    Browser::new(node).post("/setup", &body).status
                })
            })
            .collect();
        tries.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|&&it| it == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|it| [200, 403, 409].contains(it)), "{statuses:?}");
}

#[test]
fn a_cookie_that_was_known_before_the_login_is_worth_nothing_after() {
    let (guarded, _) = Guarded::with_administrator();
    let mut victim = Browser::new(guarded.http());
    victim.cookie = Some("planted".to_owned());
    assert_eq!(victim.log_in(ADMINISTRATOR, PASSWORD).status, 200);
    let first = victim.cookie.clone();
    assert_ne!(first.as_deref(), Some("planted"));
    let mut attacker = Browser::new(guarded.http());
    attacker.cookie = Some("planted".to_owned());
    assert_eq!(attacker.get("/session").status, 401);
    // A second login ends the session that the browser had.
    assert_eq!(victim.log_in(ADMINISTRATOR, PASSWORD).status, 200);
    assert_ne!(victim.cookie, first);
    attacker.cookie = first;
    assert_eq!(attacker.get("/session").status, 401);
    assert_eq!(victim.get("/session").status, 200);
}

#[test]
fn a_session_that_ended_is_not_taken_again() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let mut replayed = Browser::new(guarded.http());
    let replays = |cookie: Option<String>| {
        let mut browser = Browser::new(guarded.http());
        browser.cookie = cookie;
        browser.get("/studies").status
    };

    let mut reader = guarded.user(&mut administrator, "berta", "reader");
    let cookie = reader.cookie.clone();
    assert_eq!(replays(cookie.clone()), 200);
    let reply = reader.post("/logout", &json!({}));
    assert_eq!(reply.status, 200);
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"), "{reply:?}");
    assert_eq!(replays(cookie), 401, "logged out");

    // A new password ends all sessions, and begins one.
    assert_eq!(reader.log_in("berta", PASSWORD).status, 200);
    assert_eq!(replayed.log_in("berta", PASSWORD).status, 200);
    let (here, there) = (reader.cookie.clone(), replayed.cookie.clone());
    let new = "another horse battery";
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    assert_eq!(reader.post("/password", &change("wrong wrong wrong", new)).status, 403);
    assert_eq!(reader.post("/password", &change(PASSWORD, "short")).status, 400);
    assert_eq!(reader.post("/password", &change(PASSWORD, new)).status, 200);
    assert_eq!([replays(here), replays(there)], [401, 401], "password changed");
    assert_eq!(reader.get("/studies").status, 200);
    assert_eq!(replayed.log_in("berta", PASSWORD).status, 401);
    assert_eq!(replayed.log_in("berta", new).status, 200);

    // So does a change by an administrator, whichever.
    for change in [
        json!({ "role": "imaging-team" }),
        json!({ "password": PASSWORD }),
        json!({ "disabled": true }),
    ] {
        let cookie = replayed.cookie.clone();
        assert_eq!(replays(cookie.clone()), 200, "{change}");
        assert_eq!(administrator.post("/users/berta", &change).status, 200, "{change}");
        assert_eq!(replays(cookie), 401, "{change}");
        let password = if change["role"].is_string() { new } else { PASSWORD };
        let status = replayed.log_in("berta", password).status;
        assert_eq!(status, if change["disabled"].is_boolean() { 401 } else { 200 }, "{change}");
    }
    assert_eq!(administrator.post("/users/berta", &json!({ "disabled": false })).status, 200);
    assert_eq!(replayed.log_in("berta", PASSWORD).status, 200);
}

#[test]
fn a_session_without_use_ends_though_its_page_asks_on() {
    let guarded = Guarded::start("sessions = { absolute = \"1h\", idle = \"2s\" }\n");
    let mut browser = Browser::new(guarded.http());
    assert_eq!(guarded.set_up(&mut browser).status, 200);
    let mut used = Browser::new(guarded.http());
    assert_eq!(used.log_in(ADMINISTRATOR, PASSWORD).status, 200);
    browser.headers = vec![("x-hemora", "background".to_owned())];
    let end = Instant::now() + Duration::from_secs(60);
    while browser.get("/studies").status == 200 {
        assert_eq!(used.get("/studies").status, 200, "whoever uses it goes on");
        assert!(Instant::now() < end, "the session does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(used.get("/studies").status, 200);
    assert!(browser.get("/studies").error().contains("ended"));
}

#[test]
fn a_session_ends_however_much_it_is_used() {
    let guarded = Guarded::start("sessions = { absolute = \"2s\", idle = \"2s\" }\n");
    let mut browser = Browser::new(guarded.http());
    assert_eq!(guarded.set_up(&mut browser).status, 200);
    let end = Instant::now() + Duration::from_secs(60);
    while browser.get("/studies").status == 200 {
        assert!(Instant::now() < end, "the session does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(browser.get("/session").status, 401);
}

#[test]
fn sessions_outlive_the_node() {
    let (mut guarded, administrator) = Guarded::with_administrator();
    guarded.restart();
    let mut browser = Browser::new(guarded.http());
    browser.cookie = administrator.cookie.clone();
    assert_eq!(browser.get("/session").json()["name"], ADMINISTRATOR);
}
