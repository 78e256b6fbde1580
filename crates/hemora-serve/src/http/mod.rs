//! HTTP: the API, the pages, figures and health.

mod answer;
mod bodies;
mod connections;
mod events;
mod guard;
mod health;
mod images;
mod openapi;
mod page;
mod people;
mod quality;
mod reading;
mod routes;
mod studies;
mod system;
mod thresholds;
pub(crate) mod types;
mod view;
mod who;

use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::ServerConfig;

pub use openapi::openapi;

use crate::shared::Shared;
use connections::Counted;

/// Longest body of a request, bytes: no request has more than a few words.
const LONGEST_BODY: usize = 64 << 10;

/// Addresses of the screens.
const PAGES: [&str; 7] = ["/", "/study/{uid}", "/quality", "/system", "/audit", "/users", "/login"];

/// What handlers work with.
pub(crate) type Node = Arc<Shared>;

/// All routes.
fn router(shared: &Node) -> Router {
    let api = Router::new()
        .route("/studies", get(studies::list))
        .route("/studies/{uid}", get(studies::study))
        .route("/studies/{uid}/result", get(studies::result))
        .route("/studies/{uid}/revisions", get(studies::revisions))
        .route("/studies/{uid}/deliveries", get(studies::deliveries))
        .route("/studies/{uid}/rescore", post(studies::rescore))
        .route("/studies/{uid}/deliveries/{id}/retry", post(studies::retry))
        .route("/thresholds", get(thresholds::get).post(thresholds::set))
        .route("/events", get(events::events))
        .route("/openapi.json", get(openapi::get))
        .merge(reading())
        .merge(people());
    let pages =
        PAGES.into_iter().fold(Router::new(), |pages, path| pages.route(path, get(page::index)));
    let pages = pages.route("/page/{file}", get(page::file));
    Router::new()
        .nest("/api/v1", api)
        .merge(pages)
        .route("/metrics", get(health::metrics))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .fallback(answer::unknown)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        // The last is the first that a request meets.
        .layer(from_fn_with_state(Arc::clone(shared), who::who_may))
        .layer(from_fn_with_state(Arc::clone(shared), guard::of_this_site))
        .layer(from_fn_with_state(Arc::clone(shared), guard::for_this_host))
        .layer(from_fn(guard::in_time))
        .layer(from_fn_with_state(Arc::clone(shared), guard::headers))
        .with_state(Arc::clone(shared))
}

/// Routes of what readers see and do, and of what is learnt of it.
fn reading() -> Router<Node> {
    let of_study = Router::new()
        .route("/view", get(view::view))
        .route("/maps", get(view::maps))
        .route("/thumbnail", get(view::thumbnail))
        .route("/series/{series}/slices/{slice}", get(images::pixels))
        .route("/series/{series}/slices/{slice}/picture", get(images::picture))
        .route("/series/{series}/volume.nii.gz", get(images::volume))
        .route("/acknowledge", post(reading::acknowledge))
        .route("/unacknowledge", post(reading::unacknowledge))
        .route("/feedback", post(reading::feedback))
        .route("/notes", post(reading::note));
    Router::new()
        .nest("/studies/{uid}", of_study)
        .route("/quality", get(quality::quality))
        .route("/quality.csv", get(quality::csv))
        .route("/system", get(system::system))
}

/// Routes of users, sessions, tokens and the audit.
fn people() -> Router<Node> {
    Router::new()
        .route("/setup", post(people::set_up))
        .route("/login", post(people::log_in))
        .route("/logout", post(people::log_out))
        .route("/session", get(people::current))
        .route("/password", post(people::change_password))
        .route("/users", get(people::users).post(people::make_user))
        .route("/users/{name}", post(people::change_user))
        .route("/tokens", get(people::tokens).post(people::make_token))
        .route("/tokens/{id}/revoke", post(people::revoke_token))
        .route("/audit", get(people::audit))
        .route("/audit/verify", get(people::verify_audit))
}

/// Connections at once. A browser has up to six, and a process usually 1,024 files.
const CONNECTIONS: usize = 512;

/// How long the head of a request, and what TLS says before it, may take.
const HEAD: Duration = Duration::from_secs(10);

/// Serves until the node ends. Blocks.
///
/// # Errors
/// If the listener cannot be used.
pub(crate) fn serve(
    shared: &Node,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
) -> std::io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let routes = router(shared).into_make_service_with_connect_info::<SocketAddr>();
    let ended = Arc::clone(shared);
    let counted = Counted::new(CONNECTIONS);
    runtime.block_on(async move {
        let mut server = axum_server::from_tcp(listener)?.acceptor(counted.clone()).http1_only();
        server.http_builder().http1().header_read_timeout(HEAD);
        let serving: Pin<Box<dyn Future<Output = _>>> = match tls {
            None => Box::pin(server.serve(routes)),
            Some(config) => {
                let config = RustlsConfig::from_config(config);
                let acceptor =
                    RustlsAcceptor::new(config).handshake_timeout(HEAD).acceptor(counted);
                Box::pin(server.acceptor(acceptor).serve(routes))
            }
        };
        let end = tokio::task::spawn_blocking(
            move || {
                while ended.stop.sleep(Duration::from_secs(3600)) {}
            },
        );
        tokio::select! {
            served = serving => served,
            _ = end => Ok(()),
        }
    })?;
    // Streams of events would be waited for without end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}
