//! What stands before every route: a page of somebody else must neither read nor change anything.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Node;
use super::answer::Refused;

/// Header that every request that changes something has. A form of another site cannot set it.
pub(super) const MEANT: &str = "x-hemora";

/// Nothing is loaded from anywhere; style is inline.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses requests for hosts that this node is not: a name of another site that is made to point here
/// (DNS rebinding).
pub(super) async fn for_this_host(
    State(node): State<Node>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_this_host(host, node.config.http.public_url.as_deref()) {
        return next.run(request).await;
    }
    let error = format!(
        "this node is not {host:?}; call it by its address, or set `[http] public_url` to the name by \
         which people reach it"
    );
    Refused::new(StatusCode::MISDIRECTED_REQUEST, error).into_response()
}

fn is_this_host(host: &str, public_url: Option<&str>) -> bool {
    let public = public_url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    let public = public.and_then(|rest| rest.split('/').next());
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || public.is_some_and(|public| public.eq_ignore_ascii_case(host))
}

/// Refuses changes without the header that says they are meant.
pub(super) async fn changes_are_meant(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || request.headers().contains_key(MEANT) {
        return next.run(request).await;
    }
    let error = format!("a request that changes something needs the header `{MEANT}: 1`");
    Refused::new(StatusCode::FORBIDDEN, error).into_response()
}

/// How long a request may take, its body with it. Streams of events are answered at once and go on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends requests whose body does not.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = format!("the request took more than {} s", PATIENCE.as_secs());
            Refused::new(StatusCode::REQUEST_TIMEOUT, error).into_response()
        }
    }
}

/// Headers of every answer.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_this_host() {
        for host in ["localhost:8050", "127.0.0.1:8050", "[::1]:8050", "10.1.2.3"] {
            assert!(is_this_host(host, None), "{host}");
        }
        assert!(!is_this_host("evil.example", None));
        assert!(!is_this_host("", None));
        let public = Some("https://ich.hospital.example/list");
        assert!(is_this_host("ich.hospital.example", public));
        assert!(!is_this_host("ich.hospital.example.evil.example", public));
    }
}
