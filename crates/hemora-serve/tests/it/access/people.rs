//! Users, tokens and the audit.

use hemora_serve::Config;
use serde_json::{Value, json};

use super::browser::Browser;
use super::{ADMINISTRATOR, Guarded, PASSWORD};

fn user(name: &str) -> Value {
    json!({ "name": name, "role": "reader", "password": PASSWORD })
}

#[test]
fn users_with_odd_names_are_refused_and_case_makes_no_other_user() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let long = "x".repeat(65);
    for name in ["", " ", "..", "a/b", "a b", "<b>", "Ünal", "a\0b", "a:b", "token:x", "'--", &long]
    {
        let reply = administrator.post("/users", &user(name));
        assert_eq!(reply.status, 400, "{name:?}: {reply:?}");
        assert!(reply.error().contains("letters"), "{reply:?}");
    }
    for name in ["4711", "n.n@ward-3", "DROP", "a_b"] {
        assert_eq!(administrator.post("/users", &user(name)).status, 200, "{name}");
    }
    for name in ["Anna", "anna", "ANNA", "n.N@Ward-3"] {
        assert_eq!(administrator.post("/users", &user(name)).status, 409, "{name}");
    }
    let mut other = Browser::new(guarded.http());
    let reply = other.log_in("aNNa", PASSWORD);
    assert_eq!(reply.json()["name"], ADMINISTRATOR, "as it was written first");
    let users = administrator.get("/users").json();
    let names: Vec<&str> =
        users.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["4711", "a_b", "Anna", "DROP", "n.n@ward-3"]);
    assert!(!users.to_string().contains("argon2"), "{users}");
}

#[test]
fn one_administrator_is_always_left() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    for change in [json!({ "role": "reader" }), json!({ "disabled": true })] {
        let reply = administrator.post("/users/anna", &change);
        assert_eq!(reply.status, 409, "{reply:?}");
    }
    assert_eq!(administrator.get("/session").status, 200, "nothing was changed");
    assert_eq!(administrator.post("/users/anna", &json!({})).status, 400);
    assert_eq!(administrator.post("/users/nobody", &json!({ "disabled": true })).status, 404);
    let mut other = guarded.user(&mut administrator, "berta", "administrator");
    assert_eq!(other.post("/users/Anna", &json!({ "role": "reader" })).status, 200);
    assert_eq!(other.post("/users/berta", &json!({ "disabled": true })).status, 409);
    assert_eq!(administrator.get("/session").status, 401);
    assert_eq!(administrator.log_in("Anna", PASSWORD).json()["role"], "reader");
}

#[test]
fn a_token_is_shown_once_and_ends_when_it_is_taken_back() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let (mut program, id) = guarded.program(&mut administrator, "read");
    assert_eq!(program.get("/studies").status, 200);
    let (_, secret) = program.headers.last().unwrap().clone();
    let secret = secret.strip_prefix("Bearer ").unwrap().to_owned();
    assert!(secret.starts_with("hemora_") && secret.len() == 50, "{secret}");
    let tokens = administrator.get("/tokens");
    assert!(!tokens.body.contains(&secret), "{tokens:?}");
    assert_eq!(tokens.json()[0]["scope"], "read");
    let mut wrong = Browser::program(&secret.replace("hemora_", "hemora_x"), guarded.http());
    assert_eq!(wrong.get("/studies").status, 401);
    // A token that does not count is not made up for by a session.
    wrong.cookie = administrator.cookie.clone();
    assert_eq!(wrong.get("/studies").status, 401);
    assert_eq!(administrator.post(&format!("/tokens/{id}/revoke"), &json!({})).status, 200);
    assert_eq!(program.get("/studies").status, 401);
    assert_eq!(administrator.post("/tokens/999/revoke", &json!({})).status, 404);
    for (name, status) in [("a b", 400), ("", 400), ("cron", 200), ("cron", 409)] {
        let reply = administrator.post("/tokens", &json!({ "name": name, "scope": "metrics" }));
        assert_eq!(reply.status, status, "{name:?}: {reply:?}");
    }
    let all = json!({ "name": "all", "scope": "everything" });
    assert_eq!(administrator.post("/tokens", &all).status, 422);
}

#[test]
fn who_is_logged_in_answers_for_thresholds_whatever_name_is_given() {
    let (_guarded, mut administrator) = Guarded::with_administrator();
    let thresholds = json!({ "who": "Dr N.", "why": "200 studies", "any": [0.2, 0.6] });
    let reply = administrator.post("/thresholds", &json!({ "thresholds": thresholds }));
    assert_eq!(reply.status, 200, "{reply:?}");
    let now = administrator.get("/thresholds").json();
    assert_eq!(now["thresholds"]["who"], ADMINISTRATOR);
    assert_eq!(now["history"][0]["who"], ADMINISTRATOR);
    let back = json!({ "thresholds": null, "who": "Dr N.", "why": "again" });
    assert_eq!(administrator.post("/thresholds", &back).status, 200);
    assert_eq!(administrator.get("/thresholds").json()["history"][1]["who"], ADMINISTRATOR);
}

#[test]
fn the_audit_notes_who_did_what_and_finds_a_row_that_was_changed() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let mut reader = guarded.user(&mut administrator, "berta", "reader");
    reader.log_in("berta", "wrong wrong wrong");
    reader.log_in("my-own-password", "berta");
    guarded.program(&mut administrator, "metrics");
    administrator.post("/users/berta", &json!({ "disabled": true }));
    let page = administrator.get("/audit").json();
    let rows = page["rows"].as_array().unwrap();
    let said = |row: &Value| {
        format!("{}: {}: {}", row["who"], row["what"], row["detail"]).replace('"', "")
    };
    let all: Vec<String> = rows.iter().map(said).collect();
    for wanted in [
        "Anna: made a user: Anna: role administrator",
        "Anna: logged in",
        "Anna: made a user: berta: role reader",
        "berta: logged in",
        "berta: login failed: from 127.0.0.1: 1 wrong",
        "unknown user: login failed",
        "Anna: made a token",
        "Anna: changed a user: berta: disabled",
    ] {
        assert!(all.iter().any(|row| row.starts_with(wanted)), "{wanted}: {all:#?}");
    }
    assert!(!page.to_string().contains("my-own-password"), "a password in the wrong field");
    assert!(!page.to_string().contains(PASSWORD));

    // By pages and filters.
    let mut paged = Vec::new();
    let mut next = String::new();
    loop {
        let page = administrator.get(&format!("/audit?limit=3{next}")).json();
        paged.extend(page["rows"].as_array().unwrap().iter().map(|row| row["n"].as_i64().unwrap()));
        let Some(before) = page["next"].as_i64() else { break };
        next = format!("&before={before}");
    }
    assert_eq!(paged, (1..=paged.len() as i64).rev().collect::<Vec<_>>());
    let failed = administrator.get("/audit?what=login%20failed&who=berta").json();
    assert_eq!(failed["rows"].as_array().unwrap().len(), 1);
    for wrong in ["limit=0", "limit=501", "whom=x", "before=x"] {
        assert_eq!(administrator.get(&format!("/audit?{wrong}")).status, 400, "{wrong}");
    }

    let verified = administrator.get("/audit/verify").json();
    assert_eq!(verified["rows"], paged.len());
    assert!(verified.get("problem").is_none(), "{verified}");
    assert_eq!(hemora_serve::verify_audit(&guarded.config).unwrap(), paged.len() as u64);

    // Somebody with the file takes a row out of sight, while the node runs.
    let database = guarded.config.node.data.join("hemora.db");
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let sql = "UPDATE audit SET who = 'berta' WHERE n = 3";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    let verified = administrator.get("/audit/verify").json();
    assert_eq!(verified["rows"], 2);
    assert!(verified["problem"].as_str().unwrap().contains("row 3"), "{verified}");
    let error = hemora_serve::verify_audit(&guarded.config).unwrap_err().to_string();
    assert!(error.contains("row 3"), "{error}");
}

#[test]
fn a_folder_that_was_mistyped_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hemroa");
    let config =
        Config::parse(&format!("[node]\ndata = {:?}", data.display().to_string())).unwrap();
    for problem in [
        hemora_serve::verify_audit(&config).unwrap_err(),
        hemora_serve::forget(&config, "4711", "Anna").unwrap_err(),
        hemora_serve::backup(&config, &folder.path().join("backup"), false).unwrap_err(),
    ] {
        assert!(problem.to_string().contains("hemroa: no node has its data there"), "{problem}");
    }
    assert!(!data.exists());
}
