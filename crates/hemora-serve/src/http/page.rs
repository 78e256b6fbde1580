//! The pages: files that `cargo xtask web` builds of `web/`, taken in by the compiler.

use std::io::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::answer::Refused;

/// A file of the pages.
struct File {
    name: &'static str,
    media: &'static str,
    bytes: &'static [u8],
    /// Its bytes, gzip.
    packed: Vec<u8>,
    /// Changes with its bytes.
    etag: String,
}

impl File {
    fn new(name: &'static str, media: &'static str, bytes: &'static [u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail; if it did, the file would be sent as it is.
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default();
        let etag = format!("\"{}\"", hemora_base::sha256_hex(bytes));
        Self { name, media, bytes, packed, etag }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        // The browser keeps it and asks each time whether it is still the same.
        let common: [(HeaderName, &str); 3] =
            [(ETAG, &self.etag), (CACHE_CONTROL, "no-cache"), (VARY, "accept-encoding")];
        if names(asked, &IF_NONE_MATCH, &self.etag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let media = [(CONTENT_TYPE, self.media)];
        if !self.packed.is_empty() && names(asked, &ACCEPT_ENCODING, "gzip") {
            let packed = self.packed.clone();
            return (common, media, [(CONTENT_ENCODING, "gzip")], packed).into_response();
        }
        (common, media, self.bytes).into_response()
    }
}

/// Whether a list in a header names something.
fn names(asked: &HeaderMap, header: &HeaderName, wanted: &str) -> bool {
    let lists = asked.get_all(header).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let name = item.split(';').next().unwrap_or_default().trim();
        name == wanted || name.strip_prefix("W/") == Some(wanted)
    })
}

macro_rules! file {
    ($name:literal, $media:literal) => {
        File::new($name, $media, include_bytes!(concat!("../../page/", $name)))
    };
}

/// The one document; its script shows the screen that the address names.
static INDEX: LazyLock<File> = LazyLock::new(|| file!("index.html", "text/html; charset=utf-8"));

/// What it loads.
static FILES: LazyLock<[File; 4]> = LazyLock::new(|| {
    [
        file!("app.js", "text/javascript; charset=utf-8"),
        file!("app.css", "text/css; charset=utf-8"),
        file!("icon.svg", "image/svg+xml"),
        file!("licences.txt", "text/plain; charset=utf-8"),
    ]
});

/// The page of every screen.
pub(super) async fn index(asked: HeaderMap) -> Response {
    INDEX.answer(&asked)
}

/// A file of the pages.
pub(super) async fn file(Path(name): Path<String>, asked: HeaderMap) -> Result<Response, Refused> {
    let file = FILES.iter().find(|file| file.name == name);
    let missing = || Refused::not_found(format!("the pages have no file {name:?}"));
    Ok(file.ok_or_else(missing)?.answer(&asked))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_list_of_a_header_names_its_items_and_no_parts_of_them() {
        let mut asked = HeaderMap::new();
        asked.append(ACCEPT_ENCODING, HeaderValue::from_static("br;q=1.0, gzip;q=0.5"));
        asked.append(IF_NONE_MATCH, HeaderValue::from_static("W/\"a\", \"b\""));
        assert!(names(&asked, &ACCEPT_ENCODING, "gzip"));
        assert!(!names(&asked, &ACCEPT_ENCODING, "gz"));
        assert!(names(&asked, &IF_NONE_MATCH, "\"a\"") && names(&asked, &IF_NONE_MATCH, "\"b\""));
        assert!(!names(&asked, &IF_NONE_MATCH, "\"c\""));
    }

    #[test]
    fn the_page_loads_only_what_is_there() {
        let page = std::str::from_utf8(INDEX.bytes).unwrap();
        let loaded: Vec<&str> = page
            .split("=\"")
            .filter_map(|rest| rest.strip_prefix("/page/"))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(loaded.contains(&"app.js") && loaded.contains(&"app.css"), "{loaded:?}");
        for name in loaded {
            assert!(FILES.iter().any(|file| file.name == name), "{name}");
        }
    }
}
