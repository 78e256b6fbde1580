//! Who asks, and whether they may: by session, token or proxy, against the table of routes.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::Utc;

use super::Node;
use super::answer::Refused;
use super::guard::MEANT;
use super::routes::{Access, Known, known};
use super::types::{Role, Scope};
use crate::access::{self, Asker};
use crate::config::TrustedProxy;
use crate::shared::Shared;

/// Value of the header [`MEANT`] by which a page says that nobody asked for this request: it keeps no
/// session from ending.
const BACKGROUND: &str = "background";

/// Lets requests through to handlers that whoever asks may call, and tells those who asks.
pub(super) async fn who_may(
    State(node): State<Node>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(path) = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned())
    else {
        // No route: the fallback says so.
        return next.run(request).await;
    };
    if let Err(refused) = is_from_proxy(node.config.http.trusted_proxy.as_ref(), peer, &path) {
        return refused.into_response();
    }
    let access = match known(request.method(), &path) {
        Known::Route(access) => access,
        Known::OtherMethod => {
            let error = format!("{path} has no {}", request.method());
            return Refused::new(StatusCode::METHOD_NOT_ALLOWED, error).into_response();
        }
        Known::No => {
            let error = format!("nobody may call {path}: the table of routes does not have it");
            return Refused::new(StatusCode::FORBIDDEN, error).into_response();
        }
    };
    let Access::From(role, scope) = access else { return next.run(request).await };
    let asks = Asks::of(&request, &path);
    let asked = tokio::task::spawn_blocking(move || asks.asker(&node));
    let failed = || Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "the node failed; see its log");
    let asker = asked.await.unwrap_or_else(|_| Err(failed()));
    match asker.and_then(|asker| may(asker, role, scope)) {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(refused) => challenge(refused.into_response()),
    }
}

/// With a proxy that says who asks, nobody else is believed, nor answered but for whether the node lives.
fn is_from_proxy(
    proxy: Option<&TrustedProxy>,
    peer: SocketAddr,
    path: &str,
) -> Result<(), Refused> {
    let Some(proxy) = proxy else { return Ok(()) };
    if peer.ip().to_canonical() == proxy.addr.to_canonical() || ["/live", "/ready"].contains(&path)
    {
        return Ok(());
    }
    let error = "this node answers its proxy only (`[http] trusted_proxy`); call it by the address of the proxy";
    Err(Refused::new(StatusCode::FORBIDDEN, error))
}

/// 401 says how a program may show who it is.
fn challenge(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer realm=\"hemora\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    }
    response
}

fn may(asker: Asker, role: Role, scope: Option<Scope>) -> Result<Asker, Refused> {
    let by_role = asker.role.is_some_and(|own| own >= role);
    let by_scope = asker.scope.zip(scope).is_some_and(|(own, needed)| own >= needed);
    if by_role || by_scope {
        return Ok(asker);
    }
    let name = &asker.name;
    let needed = Access::From(role, scope).in_words().trim_end_matches('.').to_lowercase();
    let error = match (asker.role, asker.scope) {
        (Some(own), _) => format!("{name} has the role {}; this is {needed}", own.as_str()),
        (None, Some(own)) => format!("{name} has the scope {}; this is {needed}", own.as_str()),
        (None, None) => format!("{name} has no role; this is {needed}"),
    };
    Err(Refused::new(StatusCode::FORBIDDEN, error))
}

/// What a request says of who asks.
struct Asks {
    headers: HeaderMap,
    /// Whether the request is a sign of life of a person.
    is_use: bool,
}

impl Asks {
    fn of(request: &Request, path: &str) -> Self {
        let headers = request.headers().clone();
        let background = headers.get(MEANT).is_some_and(|value| value == BACKGROUND);
        // The page asks for these by itself, where it can set no header.
        let by_itself = path == "/api/v1/events" || path.ends_with("/thumbnail");
        Self { headers, is_use: !background && !by_itself }
    }

    fn asker(&self, node: &Shared) -> Result<Asker, Refused> {
        let http = &node.config.http;
        if !http.login {
            return Ok(Asker::anyone());
        }
        if let Some(proxy) = &http.trusted_proxy
            && let Some(asker) = self.by_proxy(node, proxy)?
        {
            return Ok(asker);
        }
        if let Some(token) = self.token() {
            return self.by_token(node, token);
        }
        match http.trusted_proxy {
            None => self.by_session(node),
            Some(_) => Err(unknown("the proxy does not say who you are")),
        }
    }

    fn by_session(&self, node: &Shared) -> Result<Asker, Refused> {
        let Some(session) = access::cookie_of(&self.headers) else {
            return Err(unknown("nobody is logged in"));
        };
        let now = Utc::now();
        let Some(row) = access::live(node, session, now)? else {
            return Err(unknown("the session has ended; log in again"));
        };
        let role = role(&row.user, &row.role)?;
        if self.is_use && access::is_to_be_noted(node, Some(row.used_at), now) {
            node.store.touch_session(session, now)?;
        }
        Ok(Asker::user(row.user, role, Some(session)))
    }

    /// The token that the request brings.
    fn token(&self) -> Option<&str> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let is_ours = scheme.eq_ignore_ascii_case("bearer") && token.starts_with(access::TOKEN);
        is_ours.then_some(token.trim())
    }

    fn by_token(&self, node: &Shared, token: &str) -> Result<Asker, Refused> {
        let hash = access::hash_of(token);
        let row = node.store.token(hash)?.filter(|row| row.revoked_at.is_none());
        let Some(row) = row else {
            return Err(unknown("the token is not known or was taken back"));
        };
        let now = Utc::now();
        if access::is_to_be_noted(node, row.used_at, now) {
            node.store.touch_token(row.id, now)?;
        }
        let scope = Scope::from_word(&row.scope).ok_or_else(|| {
            let error =
                format!("the token {} has the scope {:?}, which is none", row.name, row.scope);
            Refused::new(StatusCode::FORBIDDEN, error)
        })?;
        Ok(Asker::program(&row.name, scope, hash))
    }

    fn by_proxy(&self, node: &Shared, proxy: &TrustedProxy) -> Result<Option<Asker>, Refused> {
        let Some(name) = self.one(&proxy.user_header)? else { return Ok(None) };
        access::check_name(name).map_err(|problem| {
            forbidden(format!("the proxy calls you {name:?}, which is no name here: {problem}"))
        })?;
        let (name, role) = match &proxy.role_header {
            Some(header) => {
                let word = self.one(header)?.unwrap_or_default();
                (name.to_owned(), role(name, word)?)
            }
            None => {
                let row = node.store.user(name)?.filter(|row| !row.disabled);
                let row = row.ok_or_else(|| {
                    forbidden(format!(
                        "the proxy calls you {name:?}, and no user here has that name; an administrator can \
                         make one"
                    ))
                })?;
                let role = role(&row.name, &row.role)?;
                (row.name, role)
            }
        };
        Ok(Some(Asker::user(name, role, None)))
    }

    /// The value of a header of the proxy. Of several, one may be the browser's own.
    fn one(&self, header: &str) -> Result<Option<&str>, Refused> {
        let mut values = self.headers.get_all(header).into_iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(forbidden(format!(
                "the request has {header} twice; the proxy must remove what it is sent"
            )));
        }
        let text = value.map(|value| value.to_str().map(str::trim));
        let text = text.transpose().map_err(|_| forbidden(format!("{header} holds no plain text")));
        Ok(text?.filter(|text| !text.is_empty()))
    }
}

/// Nobody is known.
fn unknown(error: &str) -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED, error)
}

fn forbidden(error: String) -> Refused {
    Refused::new(StatusCode::FORBIDDEN, error)
}

fn role(name: &str, word: &str) -> Result<Role, Refused> {
    Role::from_word(word)
        .ok_or_else(|| forbidden(format!("{name} has the role {word:?}, which is none here")))
}
