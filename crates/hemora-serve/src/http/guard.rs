//! What stands before every route, whoever asks: a page of somebody else must neither read nor change
//! anything, and no request takes for ever. Who may ask is in `who`.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Node;
use super::answer::Refused;
use super::routes;
use crate::config::HttpSection;

/// Header that every request that changes something has. A form of another site cannot set it.
pub(super) const MEANT: &str = "x-hemora";

/// Header in which a browser says which site a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Scripts, styles and pictures of the node only, nothing inline, in no frame, and no text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'";

/// What pages never need.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=(), \
                           display-capture=(), browsing-topics=()";

fn host_of(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Refuses requests for hosts that this node is not: a name of another site that is made to point here
/// (DNS rebinding).
pub(super) async fn for_this_host(
    State(node): State<Node>,
    request: Request,
    next: Next,
) -> Response {
    let host = host_of(request.headers());
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
    let is_public = |(scheme, public): (&str, &str)| {
        without_usual_port(scheme, public).eq_ignore_ascii_case(without_usual_port(scheme, host))
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || public_url.and_then(origin_of).is_some_and(is_public)
}

/// Scheme and host of a URL, the host with its port if it names one.
fn origin_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split('/').next().unwrap_or_default()))
}

/// A host without the port that its scheme has anyway: browsers leave it out, and people may write it.
fn without_usual_port<'a>(scheme: &str, host: &'a str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

/// Refuses changes without the header that says they are meant, and whatever another site sends.
pub(super) async fn of_this_site(
    State(node): State<Node>,
    request: Request,
    next: Next,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let headers = request.headers();
    let problem = if !reads && !headers.contains_key(MEANT) {
        Some(format!("a request that changes something needs the header `{MEANT}: 1`"))
    } else if !reads && !is_own_origin(headers, &node.config.http) {
        let origin = headers.get(ORIGIN).and_then(|it| it.to_str().ok()).unwrap_or_default();
        Some(format!(
            "the request comes from a page of {origin:?}, which is not this node; if it is, set `[http] \
             public_url` to the address by which people reach it"
        ))
    } else if is_of_other_site(headers) && !(reads && is_page(&request)) {
        Some("the request comes from a page of another site".to_owned())
    } else {
        None
    };
    match problem {
        None => next.run(request).await,
        Some(problem) => Refused::new(StatusCode::FORBIDDEN, problem).into_response(),
    }
}

/// Whether a page of this node sends the request, or no page does.
fn is_own_origin(headers: &HeaderMap, config: &HttpSection) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Some((scheme, host)) = origin.to_str().ok().and_then(|it| it.split_once("://")) else {
        return false;
    };
    let is_public = config.public_url.as_deref().and_then(origin_of).is_some_and(|public| {
        let hosts = [host, public.1].map(|host| without_usual_port(scheme, host));
        scheme.eq_ignore_ascii_case(public.0) && hosts[0].eq_ignore_ascii_case(hosts[1])
    });
    // A proxy may speak https to the browser and http to the node.
    let own_scheme = match (&config.tls, &config.trusted_proxy) {
        (Some(_), _) => scheme == "https",
        (None, Some(_)) => scheme == "https" || scheme == "http",
        (None, None) => scheme == "http",
    };
    is_public || (own_scheme && host.eq_ignore_ascii_case(host_of(headers)))
}

/// Whether the browser says that another site sends the request. A name typed or kept (`none`) is fine.
fn is_of_other_site(headers: &HeaderMap) -> bool {
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

/// Whether what is asked for is a page or a part of it, to which other sites may lead.
fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    !path.starts_with("/api/") && path != "/metrics"
}

/// How long a request may take, its body with it. Streams of events are answered at once and go on.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one may that reads images: the disk of an archive may be slow.
const PATIENCE_OF_IMAGES: Duration = Duration::from_secs(60);

/// Ends requests whose body does not.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let patience = if routes::takes_long(path) { PATIENCE_OF_IMAGES } else { PATIENCE };
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = format!("the request took more than {} s", patience.as_secs());
            Refused::new(StatusCode::REQUEST_TIMEOUT, error).into_response()
        }
    }
}

/// Headers of every answer.
pub(super) async fn headers(State(node): State<Node>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages say for themselves how they may be kept; what they show is never kept.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if node.config.http.tls.is_some() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
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
        // Browsers leave out the port that the scheme has.
        let with_port = Some("https://ich.hospital.example:443");
        assert!(is_this_host("ich.hospital.example", with_port));
        assert!(is_this_host("ich.hospital.example:443", public));
        assert!(!is_this_host("ich.hospital.example:80", public));
        assert!(!is_this_host("ich.hospital.example", Some("https://ich.hospital.example:8443")));
    }

    #[test]
    fn origins_of_others_are_not_this_node() {
        let own = |origin: &str, config: &HttpSection| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("127.0.0.1:8050"));
            headers.insert(ORIGIN, origin.parse().unwrap());
            is_own_origin(&headers, config)
        };
        let plain = HttpSection::default();
        assert!(own("http://127.0.0.1:8050", &plain));
        for other in [
            "null",
            "",
            "https://127.0.0.1:8050",
            "http://127.0.0.1",
            "http://127.0.0.1:80500",
            "http://localhost:8050",
            "https://evil.example",
        ] {
            assert!(!own(other, &plain), "{other}");
        }
        let public = Some("https://ich.example/list".to_owned());
        let public = HttpSection { public_url: public, ..plain };
        assert!(own("https://ich.example", &public));
        assert!(!own("http://ich.example", &public));
        assert!(!own("https://ich.example.evil.example", &public));
        assert!(!own("https://ich.example:444", &public));
        let with_port = Some("https://ich.example:443/list".to_owned());
        let with_port = HttpSection { public_url: with_port, ..HttpSection::default() };
        assert!(own("https://ich.example", &with_port));
        assert!(is_own_origin(&HeaderMap::new(), &public), "no page sends it");
    }
}
