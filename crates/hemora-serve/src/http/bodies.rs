//! Bodies that are not made by `Json`: those in gzip, and bytes of a media type.

use std::io::Write;
use std::net::SocketAddr;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::answer::Refused;

/// Quick: whoever waits for the answer is near.
const LEVEL: Compression = Compression::new(1);

/// Whether whoever asks takes gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|it| it.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && parts.all(|weight| !matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Whether whoever asks is a browser at this machine, to which nothing gets sooner by being packed: 512 × 512
/// pixels take 10 ms to pack. What a proxy hands on may go far.
pub(super) fn is_here(headers: &HeaderMap, peer: SocketAddr) -> bool {
    let by_proxy = ["x-forwarded-for", "forwarded", "via", "x-real-ip"];
    peer.ip().to_canonical().is_loopback() && !by_proxy.iter().any(|it| headers.contains_key(*it))
}

/// A body of a media type.
pub(super) fn of_type(media: &'static str, body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, media)], body).into_response()
}

/// A body in gzip if it may be.
pub(super) fn packed(media: &'static str, body: Vec<u8>, gzip: bool) -> Result<Response, Refused> {
    if !gzip {
        return Ok(of_type(media, body));
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), LEVEL);
    let packed = encoder.write_all(&body).and_then(|()| encoder.finish()).map_err(failed)?;
    Ok(in_gzip(media, packed))
}

/// A body that is in gzip already, inflated if it must be.
pub(super) fn repacked(
    media: &'static str,
    packed: Vec<u8>,
    gzip: bool,
) -> Result<Response, Refused> {
    if gzip {
        return Ok(in_gzip(media, packed));
    }
    let mut body = Vec::new();
    std::io::Read::read_to_end(&mut GzDecoder::new(&packed[..]), &mut body).map_err(failed)?;
    Ok(of_type(media, body))
}

fn in_gzip(media: &'static str, body: Vec<u8>) -> Response {
    let mut response = of_type(media, body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}

fn failed(error: std::io::Error) -> Refused {
    let error = format!("the answer could not be packed: {error}");
    Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        let takes = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
            takes_gzip(&headers)
        };
        assert!(takes("gzip, deflate, br"));
        assert!(takes("br;q=1.0, GZIP;q=0.8"));
        assert!(!takes("br, gzip;q=0"));
        assert!(!takes("identity"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn what_a_proxy_hands_on_is_not_here() {
        let is = |peer: &str, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(name) = header {
                headers.insert(name, "x".parse().unwrap());
            }
            is_here(&headers, peer.parse().unwrap())
        };
        assert!(is("127.0.0.1:50000", None) && is("[::1]:50000", None));
        assert!(is("[::ffff:127.0.0.1]:50000", None));
        assert!(!is("10.1.2.3:50000", None));
        assert!(!is("127.0.0.1:50000", Some("x-forwarded-for")));
        assert!(!is("127.0.0.1:50000", Some("via")));
    }
}
