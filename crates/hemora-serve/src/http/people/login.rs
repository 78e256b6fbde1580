//! The login, and the first administrator.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use hemora_store::NewAudit;

use super::bad;
use crate::access::{
    NewSession, Refusal, Tried, begin, check_name, check_password, cookie_of, hash, verify,
};
use crate::http::Node;
use crate::http::answer::Refused;
use crate::http::types::{Credentials, FirstAdministrator, Role, Session};
use crate::shared::Shared;

/// Who the audit says it was, where no user has the name: it may be a password in the wrong field.
const NOBODY: &str = "unknown user";

/// A session that has begun.
pub(super) struct Begun {
    name: String,
    role: Role,
    session: NewSession,
}

impl Begun {
    /// Begins one; a session that the browser had before ends.
    pub(super) fn session(
        node: &Shared,
        name: &str,
        role: Role,
        before: Option<[u8; 32]>,
    ) -> Result<Self, Refused> {
        let now = Utc::now();
        if let Some(before) = before {
            node.store.end_session(before, now)?;
        }
        Ok(Self { name: name.to_owned(), role, session: begin(node, name, now)? })
    }

    /// The answer, with the cookie.
    fn answer(self, node: &Shared) -> Response {
        let cookie = self.cookie();
        let session = Session {
            name: self.name,
            role: self.role,
            login: true,
            by_proxy: node.config.http.trusted_proxy.is_some(),
            ends_at: Some(self.session.ends_at),
            idle_seconds: Some(node.config.http.sessions.idle.as_secs()),
        };
        (cookie, Json(session)).into_response()
    }

    /// The header that sets the cookie.
    pub(super) fn cookie(&self) -> [(axum::http::HeaderName, String); 1] {
        [(SET_COOKIE, self.session.cookie.clone())]
    }
}

/// Begins a session.
pub(crate) async fn log_in(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, Refused> {
    let Json(Credentials { name, password }) = credentials?;
    let http = &node.config.http;
    if !http.login || http.trusted_proxy.is_some() {
        let error = "nobody logs in here: the node has no login, or a proxy says who you are";
        return Err(Refused::new(StatusCode::CONFLICT, error));
    }
    in_turn(&node, name, peer.ip(), move |node, name, address| {
        let user = node.store.user(name)?;
        let known = user.as_ref().filter(|user| !user.disabled);
        let right = verify(known.map(|user| user.password_hash.as_str()), &password);
        let Some(user) = known.filter(|_| right) else {
            let known = user.as_ref().map(|user| user.name.as_str());
            failed(node, name, known, address)?;
            let error = "the name or the password is wrong, or the user is disabled";
            return Err(Refused::new(StatusCode::UNAUTHORIZED, error));
        };
        node.access.delays.succeeded(name, address);
        let role = super::users::role_of(user)?;
        let begun = Begun::session(node, &user.name, role, cookie_of(&headers))?;
        // The password may have been changed, and with it all sessions ended, while the old one was checked.
        if node.store.user(name)?.is_none_or(|it| it.password_hash != user.password_hash) {
            node.store.end_session(begun.session.id, Utc::now())?;
            let error = "the password was changed just now; log in again";
            return Err(Refused::new(StatusCode::UNAUTHORIZED, error));
        }
        Ok(begun.answer(node))
    })
    .await
}

/// Makes the first administrator and begins their session.
pub(crate) async fn set_up(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    first: Result<Json<FirstAdministrator>, JsonRejection>,
) -> Result<Response, Refused> {
    let Json(FirstAdministrator { setup, name, password }) = first?;
    if !node.access.first.is(&setup) {
        let error = "the link is not the last one that the node printed, or it was used; while there are no \
                     users each start of the node prints a new one";
        return Err(Refused::new(StatusCode::FORBIDDEN, error));
    }
    check_name(&name).and_then(|()| check_password(&name, &password)).map_err(bad)?;
    in_turn(&node, name, peer.ip(), move |node, name, _| {
        let role = Role::Administrator;
        let hash = hash(&password).map_err(internal)?;
        node.store.create_first_user(name, &hash, role.as_str(), Utc::now())?;
        node.access.first.end();
        Ok(Begun::session(node, name, role, None)?.answer(node))
    })
    .await
}

/// Runs what looks at a password when it is its turn, unless the name or the address has to wait.
pub(super) async fn in_turn<T: Send + 'static>(
    node: &Node,
    name: String,
    address: IpAddr,
    work: impl FnOnce(&Shared, &str, IpAddr) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    if let Err(refusal) = node.access.delays.ask(&name, address, Instant::now()) {
        return Err(refused(node, name, address, refusal).await);
    }
    let at_work = Node::clone(node);
    let done = node.access.passwords.in_turn(move || {
        // Others of the name may have failed while this one waited for its turn.
        match at_work.access.delays.ask(&name, address, Instant::now()) {
            Ok(()) => work(&at_work, &name, address),
            Err(refusal) => Err(wait(refusal.wait)),
        }
    });
    done.await.unwrap_or_else(|_| Err(busy()))
}

/// Too many wait for their turn.
pub(super) fn busy() -> Refused {
    let error = "too many passwords are looked at; try again in a moment";
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, error).after(Duration::from_secs(1))
}

async fn refused(node: &Node, name: String, address: IpAddr, refusal: Refusal) -> Refused {
    if refusal.tried.is_noted() {
        let node = Node::clone(node);
        let noting = tokio::task::spawn_blocking(move || {
            let user = node.store.user(&name)?;
            note(&node, user.as_ref().map(|user| user.name.as_str()), address, refusal.tried)
        });
        if let Ok(Err(refused)) = noting.await {
            return refused;
        }
    }
    wait(refusal.wait)
}

fn wait(length: Duration) -> Refused {
    let seconds = length.as_secs_f64().ceil();
    let error = format!("too many wrong passwords; the next try is possible in {seconds} s");
    Refused::new(StatusCode::TOO_MANY_REQUESTS, error).after(length)
}

/// A password was wrong.
pub(super) fn failed(
    node: &Shared,
    name: &str,
    known: Option<&str>,
    address: IpAddr,
) -> Result<(), Refused> {
    let tried = node.access.delays.failed(name, address, Instant::now());
    if tried.is_noted() { note(node, known, address, tried) } else { Ok(()) }
}

fn note(node: &Shared, known: Option<&str>, address: IpAddr, tried: Tried) -> Result<(), Refused> {
    let Tried { failures, refused, wait, .. } = tried;
    let wait = wait.as_secs_f64().ceil();
    let detail = format!(
        "from {address}: {failures} wrong passwords and {refused} refused tries so far; the next one waits \
         {wait} s"
    );
    let row = NewAudit {
        who: known.unwrap_or(NOBODY),
        what: "login failed",
        study: None,
        detail: &detail,
    };
    Ok(node.store.audit(row, Utc::now())?)
}

pub(super) fn internal(error: String) -> Refused {
    Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error)
}
