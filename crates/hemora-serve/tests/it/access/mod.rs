//! Who may use a node, over real connections.

mod browser;
mod guessing;
mod people;
mod proxy;
mod sessions;
mod sites;
mod table;
mod tls;

use std::net::SocketAddr;

use hemora_serve::{Config, Node};
use serde_json::json;

use crate::node::model;
use browser::{Browser, Reply};

/// The administrator of these nodes.
const ADMINISTRATOR: &str = "Anna";

/// The password of everybody here.
const PASSWORD: &str = "correct horse battery";

/// A node with a login.
struct Guarded {
    node: Option<Node>,
    config: Config,
    _folder: tempfile::TempDir,
}

impl Guarded {
    /// Starts a node; `http` are more settings of its section.
    fn start(http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[node]\ndata = {:?}\n[dicom]\nlisten = \"127.0.0.1:0\"\n[keep]\nreserve = \"1MiB\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n{http}",
            folder.path().join("data").display().to_string(),
        );
        let config = Config::parse(&text).unwrap();
        let node = Node::start(config.clone(), model).unwrap();
        Self { node: Some(node), config, _folder: folder }
    }

    /// One that has an administrator, who is logged in.
    fn with_administrator() -> (Self, Browser) {
        let guarded = Self::start("");
        let mut administrator = Browser::new(guarded.http());
        let reply = guarded.set_up(&mut administrator);
        assert_eq!(reply.status, 200, "{reply:?}");
        (guarded, administrator)
    }

    fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    fn http(&self) -> SocketAddr {
        self.node().http()
    }

    fn restart(&mut self) {
        self.node.take().unwrap().stop();
        self.node = Some(Node::start(self.config.clone(), model).unwrap());
    }

    /// The secret in the link of the first start.
    fn secret(&self) -> String {
        self.node().setup().unwrap().split_once("#setup=").unwrap().1.to_owned()
    }

    fn set_up(&self, browser: &mut Browser) -> Reply {
        let body = json!({ "setup": self.secret(), "name": ADMINISTRATOR, "password": PASSWORD });
        browser.post("/setup", &body)
    }

    /// Makes a user and logs in.
    fn user(&self, administrator: &mut Browser, name: &str, role: &str) -> Browser {
        let new = json!({ "name": name, "role": role, "password": PASSWORD });
        let made = administrator.post("/users", &new);
        assert_eq!(made.status, 200, "{made:?}");
        let mut browser = Browser::new(self.http());
        let reply = browser.log_in(name, PASSWORD);
        assert_eq!(reply.status, 200, "{reply:?}");
        browser
    }

    /// Makes a token and a program that has it; the number of the token.
    fn program(&self, administrator: &mut Browser, scope: &str) -> (Browser, i64) {
        let made = administrator.post("/tokens", &json!({ "name": scope, "scope": scope }));
        assert_eq!(made.status, 200, "{made:?}");
        let made = made.json();
        let program = Browser::program(made["secret"].as_str().unwrap(), self.http());
        (program, made["token"]["id"].as_i64().unwrap())
    }
}
