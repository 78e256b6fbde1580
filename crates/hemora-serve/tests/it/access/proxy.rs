//! A proxy that says who the user is.

use serde_json::json;

use super::browser::Browser;
use super::{ADMINISTRATOR, Guarded};

/// The address of the proxy here.
const PROXY: [u8; 4] = [127, 0, 0, 2];

fn through(guarded: &Guarded, headers: &[(&'static str, &str)]) -> Browser {
    let mut browser = Browser::from(PROXY, guarded.http());
    browser.headers.extend(headers.iter().map(|&(name, value)| (name, value.to_owned())));
    browser
}

#[test]
fn the_proxy_alone_is_believed_and_names_users_of_the_node() {
    let guarded = Guarded::start(
        "trusted_proxy = { addr = \"127.0.0.2\", user_header = \"x-remote-user\" }\n",
    );
    let mut nobody = through(&guarded, &[]);
    assert_eq!(guarded.set_up(&mut nobody).status, 200);
    // No cookie counts: the proxy says who it is.
    assert_eq!(nobody.get("/session").status, 401);
    let mut anna = through(&guarded, &[("x-remote-user", "anna")]);
    let session = anna.get("/session").json();
    assert_eq!(session["name"], ADMINISTRATOR);
    assert_eq!(session["by_proxy"], true);
    assert!(session.get("ends_at").is_none(), "{session}");
    assert_eq!(anna.post("/logout", &json!({})).status, 409);
    assert_eq!(anna.log_in("Anna", super::PASSWORD).status, 409);

    // The same header from another address.
    let mut liar = Browser::from([127, 0, 0, 3], guarded.http());
    liar.headers.push(("x-remote-user", "anna".to_owned()));
    for path in ["/api/v1/session", "/api/v1/studies", "/metrics", "/"] {
        let reply = liar.ask("GET", path, None);
        assert_eq!(reply.status, 403, "{path}: {reply:?}");
        assert!(reply.error().contains("proxy"), "{reply:?}");
    }
    assert_eq!(liar.ask("GET", "/live", None).status, 200, "whether it lives is no secret");

    for name in ["berta", "..", "a b", "<script>", "anna,berta", "anyone at this machine"] {
        let reply = through(&guarded, &[("x-remote-user", name)]).get("/session");
        assert_eq!(reply.status, 403, "{name}: {reply:?}");
    }
    assert_eq!(through(&guarded, &[("x-remote-user", "")]).get("/session").status, 401);
    let twice = [("x-remote-user", "berta"), ("x-remote-user", "anna")];
    assert_eq!(through(&guarded, &twice).get("/session").status, 403);

    // Who is disabled here is, whatever the proxy says; tokens count through the proxy.
    let new = json!({ "name": "berta", "role": "reader", "password": super::PASSWORD });
    assert_eq!(anna.post("/users", &new).status, 200);
    let mut berta = through(&guarded, &[("x-remote-user", "berta")]);
    assert_eq!([berta.get("/studies").status, berta.get("/users").status], [200, 403]);
    assert_eq!(anna.post("/users/berta", &json!({ "disabled": true })).status, 200);
    assert_eq!(berta.get("/studies").status, 403);
    let made = anna.post("/tokens", &json!({ "name": "cron", "scope": "metrics" })).json();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let mut program = through(&guarded, &[("authorization", &bearer)]);
    assert_eq!(program.ask("GET", "/metrics", None).status, 200);
    assert_eq!(program.get("/studies").status, 403);
}

#[test]
fn a_proxy_may_say_the_role_too() {
    let guarded = Guarded::start(
        "trusted_proxy = { addr = \"127.0.0.2\", user_header = \"x-remote-user\", \
         role_header = \"x-remote-role\" }\n",
    );
    assert_eq!(guarded.node().setup(), None, "nobody is to be made here");
    for (role, status) in [("reader", 403), ("imaging-team", 200), ("administrator", 200)] {
        let headers = [("x-remote-user", "carl"), ("x-remote-role", role)];
        let mut carl = through(&guarded, &headers);
        assert_eq!(carl.get("/session").json()["role"], role);
        assert_eq!(carl.ask("GET", "/metrics", None).status, status, "{role}");
    }
    for role in ["", "root", "Administrator", "reader,administrator"] {
        let headers = [("x-remote-user", "carl"), ("x-remote-role", role)];
        assert_eq!(through(&guarded, &headers).get("/session").status, 403, "{role}");
    }
    let role_alone = [("x-remote-role", "administrator")];
    assert_eq!(through(&guarded, &role_alone).get("/session").status, 401);
}
