//! HTTP: the API, the pages, figures and health.

mod answer;
mod events;
mod guard;
mod health;
mod openapi;
mod page;
mod routes;
mod studies;
mod thresholds;
mod types;

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

pub use openapi::openapi;

use crate::shared::Shared;

/// Longest body of a request, bytes: no request has more than a few words.
const LONGEST_BODY: usize = 64 << 10;

/// Addresses of the screens.
const PAGES: [&str; 7] =
    ["/", "/study/{uid}", "/quality", "/system", "/audit", "/users", "/login"];

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
        .route("/openapi.json", get(openapi::get));
    let pages = PAGES.into_iter().fold(Router::new(), |pages, path| pages.route(path, get(page::index)));
    let pages = pages.route("/page/{file}", get(page::file));
    Router::new()
        .nest("/api/v1", api)
        .merge(pages)
        .route("/metrics", get(health::metrics))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .fallback(answer::unknown)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn(guard::changes_are_meant))
        .layer(from_fn_with_state(Arc::clone(shared), guard::for_this_host))
        .layer(from_fn(guard::in_time))
        .layer(from_fn(guard::headers))
        .with_state(Arc::clone(shared))
}

/// Serves until the node ends. Blocks.
///
/// # Errors
/// If the listener cannot be used.
pub(crate) fn serve(shared: &Node, listener: TcpListener) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let routes = router(shared);
    let ended = Arc::clone(shared);
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let serving = axum::serve(listener, routes).into_future();
        let end = tokio::task::spawn_blocking(move || {
            while ended.stop.sleep(std::time::Duration::from_secs(3600)) {}
        });
        tokio::select! {
            served = serving => served,
            _ = end => Ok(()),
        }
    })?;
    // Streams of events would be waited for without end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(())
}
