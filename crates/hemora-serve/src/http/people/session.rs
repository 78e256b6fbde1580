//! The session of whoever asks.

use std::net::SocketAddr;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use hemora_store::{StoreError, UserUpdate};

use super::bad;
use super::login::{Begun, failed, in_turn, internal};
use crate::access::{Asker, check_password, ended, hash, live, verify};
use crate::http::Node;
use crate::http::answer::{Answer, Refused, blocking};
use crate::http::types::{Done, NewPassword, Role, Session};

/// Who is logged in.
pub(crate) async fn current(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
) -> Answer<Session> {
    blocking(move || {
        let http = &node.config.http;
        let row = asker.session.map(|session| live(&node, session, Utc::now()));
        let row = row.transpose()?.flatten();
        Ok(Session {
            name: asker.name,
            role: asker.role.unwrap_or(Role::Reader),
            login: http.login,
            by_proxy: http.trusted_proxy.is_some(),
            idle_seconds: row.as_ref().map(|_| http.sessions.idle.as_secs()),
            ends_at: row.map(|row| row.ends_at),
        })
    })
    .await
}

/// Ends the session.
pub(crate) async fn log_out(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
) -> Result<Response, Refused> {
    let Some(session) = asker.session else { return Err(no_password()) };
    let done = blocking(move || {
        node.store.end_session(session, Utc::now())?;
        Ok(Done { done: "the session has ended".to_owned() })
    });
    Ok(([(SET_COOKIE, ended())], done.await?).into_response())
}

/// Changes the password of whoever asks. All their sessions end; a new one begins.
pub(crate) async fn change_password(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(asker): Extension<Asker>,
    new: Result<Json<NewPassword>, JsonRejection>,
) -> Result<Response, Refused> {
    let Json(NewPassword { old, new }) = new?;
    let (Some(_), Some(role)) = (asker.session, asker.role) else { return Err(no_password()) };
    check_password(&asker.name, &new).map_err(bad)?;
    in_turn(&node, asker.name, peer.ip(), move |node, name, address| {
        let user = node.store.user(name)?.ok_or_else(|| StoreError::NoUser(name.to_owned()))?;
        if !verify(Some(&user.password_hash), &old) {
            failed(node, name, Some(&user.name), address)?;
            return Err(Refused::new(StatusCode::FORBIDDEN, "the old password is wrong"));
        }
        node.access.delays.succeeded(name, address);
        let password_hash = Some(hash(&new).map_err(internal)?);
        let update = UserUpdate { password_hash, ..UserUpdate::default() };
        node.store.change_user(name, update, name, Utc::now())?;
        let begun = Begun::session(node, name, role, None)?;
        let done = "the password is changed; other sessions have ended".to_owned();
        Ok((begun.cookie(), Json(Done { done })).into_response())
    })
    .await
}

fn no_password() -> Refused {
    let error =
        "nobody is logged in with a password: the node has no login, or a proxy says who you are";
    Refused::new(StatusCode::CONFLICT, error)
}
