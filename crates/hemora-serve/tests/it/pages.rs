//! The files of the pages, as a browser asks for them.

use std::io::Read;

use flate2::read::GzDecoder;
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::node::Running;

fn get(running: &Running, path: &str, header: (&str, &str)) -> Response<Body> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("http://{}{path}", running.node().http());
    agent.get(&url).header(header.0, header.1).call().unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn every_screen_is_the_one_page_and_its_files_are_kept_by_their_etag() {
    let running = Running::start("");
    for path in ["/", "/study/1.2.3", "/quality", "/system", "/audit", "/users", "/login"] {
        let mut page = get(&running, path, ("accept", "text/html"));
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8", "{path}");
        let policy = header(&page, "content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let html = page.body_mut().read_to_string().unwrap();
        assert!(html.contains("src=\"/page/app.js\"") && !html.contains("style="), "{html}");
    }
    for (file, media) in [
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("licences.txt", "text/plain; charset=utf-8"),
    ] {
        let path = format!("/page/{file}");
        let mut plain = get(&running, &path, ("accept-encoding", "identity"));
        assert_eq!((plain.status().as_u16(), header(&plain, "content-type")), (200, media));
        assert_eq!(header(&plain, "cache-control"), "no-cache", "{file}");
        let etag = header(&plain, "etag").to_owned();
        let bytes = plain.body_mut().read_to_vec().unwrap();
        assert!(!bytes.is_empty(), "{file}");
        let mut packed = get(&running, &path, ("accept-encoding", "gzip"));
        assert_eq!(header(&packed, "content-encoding"), "gzip", "{file}");
        assert_eq!(header(&packed, "etag"), etag, "{file}");
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.body_mut().as_reader()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, bytes, "{file}");
        let mut same = get(&running, &path, ("if-none-match", &etag));
        assert_eq!(same.status(), 304, "{file}");
        assert!(same.body_mut().read_to_vec().unwrap().is_empty(), "{file}");
        assert_eq!(get(&running, &path, ("if-none-match", "\"other\"")).status(), 200, "{file}");
    }
    for path in
        ["/page/no-such-file.js", "/page/app.js.map", "/page/..%2Fpage%2Fapp.js", "/studies"]
    {
        assert_eq!(get(&running, path, ("accept", "*/*")).status(), 404, "{path}");
    }
}
