//! A node from its start to its end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::Utc;
use hemora_dimse::{AeTitle, Limits, Server};
use hemora_infer::LoadedModel;
use hemora_store::{Adopted, Retention, Store, StoreError};
use tracing::{error, info, warn};

use crate::access::server_config;
use crate::config::{Config, ConfigError, Durability};
use crate::forms::Templates;
use crate::intake::Intake;
use crate::scoring::Scorer;
use crate::shared::Shared;
use crate::told_to_end::ToldToEnd;
use crate::uids::fresh_uid;
use crate::{control, deliver, http, opening, settling};

/// Name of the setting that holds the UID of the installation.
const UID: &str = "node_uid";

/// Between two looks at what is to be kept.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// Between two looks for other nodes that have ended.
const ADOPT_EVERY: Duration = Duration::from_secs(5);

/// How long open associations may go on when the node ends.
const GRACE: Duration = Duration::from_secs(10);

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port cannot be listened at.
    #[error(
        "cannot listen at {address} for {what}: {source}; is another node running? `[{section}] listen` says where"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// DICOM or HTTP.
        what: &'static str,
        /// Section of the configuration.
        section: &'static str,
        /// What the operating system reports.
        source: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The node cannot go on: its model cannot be loaded, or one of its threads failed.
    #[error("{0}")]
    Failed(String),
}

/// A running node. Dropped, it ends as by [`Node::stop`].
pub struct Node {
    shared: Arc<Shared>,
    server: Option<Server>,
    http: SocketAddr,
    dicom: SocketAddr,
    setup: Option<String>,
    threads: Vec<JoinHandle<()>>,
}

impl Node {
    /// Starts a node: opens its data folder, listens, and takes images while `load` loads the model.
    ///
    /// # Errors
    /// [`NodeError`] if the configuration, the data folder or a port cannot be used. A model that cannot be
    /// loaded ends the node: [`Node::run`] says so.
    pub fn start(
        config: Config,
        load: impl FnOnce() -> Result<LoadedModel, String> + Send + 'static,
    ) -> Result<Self, NodeError> {
        config.check()?;
        let templates = Templates::read(&config.destinations)?;
        let tls = config.http.tls.as_ref().map(server_config).transpose()?;
        let listen = |address: SocketAddr, what, section| {
            TcpListener::bind(address).map_err(|source| NodeError::Listen {
                address,
                what,
                section,
                source,
            })
        };
        if config.node.durability == Durability::Process {
            warn!(
                "durability is \"process\": images that were acknowledged may be lost with the power"
            );
        }
        let store = opening::open(&config)?;
        info!(folder = %config.node.data.display(), database = store.server().unwrap_or("sqlite"), recovered = ?store.recovered(), "data folder opened");
        let dicom = listen(config.dicom.listen, "DICOM", "dicom")?;
        let web = listen(config.http.listen, "HTTP", "http")?;
        let uid = installation_uid(&store)?;
        let shared = Arc::new(Shared::new(config, templates, store, uid));
        settling::begin(&shared)?;
        name_orphans(&shared)?;
        let http = web.local_addr().map_err(NodeError::Thread)?;
        let setup = first_link(&shared, http)?;
        let mut node = Self { shared, server: None, http, dicom: http, setup, threads: Vec::new() };
        node.spawn("http", move |shared| {
            if let Err(problem) = http::serve(shared, web, tls) {
                error!(%problem, "HTTP ended");
                shared.fail(format!("HTTP ended: {problem}"));
            }
        })?;
        node.spawn("scorer", move |shared| match load() {
            Ok(model) => {
                info!(engine = model.engine(), note = model.note(), "model loaded");
                Scorer::new(Arc::clone(shared), model).run();
            }
            Err(problem) => shared.fail(problem),
        })?;
        node.spawn("settler", |shared| settling::run(shared))?;
        node.spawn("counter", settling::ask_source)?;
        node.spawn("keeper", |shared| keep(shared))?;
        if node.shared.store.server().is_some() {
            node.spawn("adopter", |shared| adopt(shared))?;
        }
        node.spawn("announcer", |shared| announce(shared))?;
        node.control()?;
        for destination in node.shared.config.destinations.clone() {
            let name = format!("to {}", destination.name());
            node.spawn(&name, move |shared| deliver::run(shared, &destination))?;
        }
        let server = listener(&node.shared, dicom).map_err(NodeError::Thread)?;
        node.dicom = server.address();
        node.server = Some(server);
        info!(dicom = %node.dicom, http = %node.http, ae = node.shared.config.node.ae_title, "node started");
        Ok(node)
    }

    /// Takes requests of whoever may use the data folder.
    fn control(&mut self) -> Result<(), NodeError> {
        match control::listen(&self.shared.config.own_folder()) {
            Ok(listener) => self.spawn("control", move |shared| control::run(shared, &listener)),
            Err(problem) => {
                warn!(problem, "`hemora serve backup` and `forget` need the node to be stopped");
                Ok(())
            }
        }
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(&Arc<Shared>) + Send + 'static,
    ) -> Result<(), NodeError> {
        let shared = Arc::clone(&self.shared);
        let guarded = move || {
            // A node without one of its threads would look alive and do half its work.
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&shared)));
            if ended.is_err() {
                shared.fail(
                    "a thread of the node failed; it is a defect, and the log has more".to_owned(),
                );
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(guarded);
        self.threads.push(thread.map_err(NodeError::Thread)?);
        Ok(())
    }

    /// Where DICOM is listened at.
    pub fn dicom(&self) -> SocketAddr {
        self.dicom
    }

    /// The AE title under which the node is called.
    pub fn ae_title(&self) -> &str {
        &self.shared.config.node.ae_title
    }

    /// Where HTTP is listened at.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Address of the node's pages.
    pub fn pages(&self) -> String {
        self.shared.config.http.base(self.http)
    }

    /// The link with which the first administrator is made, while there are no users. It works once, and
    /// until the next start.
    pub fn setup(&self) -> Option<&str> {
        self.setup.as_deref()
    }

    /// Runs until the program is told to end or the node cannot go on, and ends it.
    ///
    /// # Errors
    /// [`NodeError::Failed`] with what the node could not go on without.
    pub fn run(mut self, told: ToldToEnd) -> Result<(), NodeError> {
        told.wait(|| self.shared.stop.is_set());
        self.end();
        self.shared.failure().map_or(Ok(()), |problem| Err(NodeError::Failed(problem)))
    }

    /// Ends the node: open associations are let go on for a few seconds, what is being scored or sent is
    /// done again after the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if self.threads.is_empty() {
            return;
        }
        if let Some(server) = self.server.take() {
            server.stop(GRACE);
        }
        self.shared.stop.set();
        self.shared.arrivals.wake();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        info!("node ended");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}

/// Makes the link for the first administrator, if there is nobody yet, and says who may use the node.
fn first_link(shared: &Shared, address: SocketAddr) -> Result<Option<String>, StoreError> {
    let section = &shared.config.http;
    if !section.login {
        warn!("`[http] login` is false: everybody at this machine may do everything");
        return Ok(None);
    }
    let has_roles = section.trusted_proxy.as_ref().is_some_and(|it| it.role_header.is_some());
    if has_roles || shared.store.any_user()? {
        return Ok(None);
    }
    let link = shared.access.first.make(&section.base(address));
    info!(%link, "there are no users yet: open this link once to make the first administrator");
    Ok(Some(link))
}

/// Says where deliveries wait for a destination that the configuration no longer has: they would wait for
/// ever, and with them the images of their studies.
fn name_orphans(shared: &Shared) -> Result<(), StoreError> {
    let known = |name: &str| shared.config.destinations.iter().any(|it| it.name() == name);
    for (name, counts) in shared.store.counts()?.outbox {
        if counts.waiting > 0 && !known(&name) {
            let waiting = counts.waiting;
            warn!(
                destination = name,
                waiting, "deliveries wait for a destination that is not configured"
            );
        }
    }
    Ok(())
}

/// The UID of the installation, made at its first start.
fn installation_uid(store: &Store) -> Result<String, StoreError> {
    // The first counts: two nodes may have started at once.
    let first = || -> Result<Option<String>, StoreError> {
        let history = store.setting_history(UID)?;
        Ok(history.iter().find_map(|it| serde_json::from_str(&it.value).ok()))
    };
    if let Some(uid) = first()? {
        return Ok(uid);
    }
    let uid = fresh_uid();
    let value = format!("{uid:?}");
    store.set_setting(UID, &value, "hemora", "first start of this installation", Utc::now())?;
    Ok(first()?.unwrap_or(uid))
}

fn listener(shared: &Arc<Shared>, listener: TcpListener) -> std::io::Result<Server> {
    let section = &shared.config.dicom;
    let limits = Limits {
        associations: section.max_associations,
        per_peer: section.max_associations_per_peer,
        instance: section.max_instance.0,
        association: section.timeouts.association,
        idle: section.timeouts.idle,
        store: section.timeouts.store,
        ..Limits::default()
    };
    let own: Option<AeTitle> = shared.config.node.ae_title.parse().ok();
    let called = own.filter(|_| section.only_called).into_iter().collect();
    Server::start(listener, called, limits, Arc::new(Intake::new(Arc::clone(shared))))
}

/// Removes the images and sessions whose time has come, until the node ends.
fn keep(shared: &Shared) {
    let section = &shared.config.keep;
    let retention = Retention {
        images: section.images,
        at_most: Some(section.at_most.0),
        reserve: section.reserve.0,
    };
    loop {
        match shared.store.evict(&retention, Utc::now()) {
            Ok(evicted) if evicted.studies > 0 || evicted.short_of > 0 => {
                info!(?evicted, "images removed");
            }
            Ok(_) => {}
            Err(error) => error!(%error, "images cannot be removed"),
        }
        let idle = shared.config.http.sessions.idle;
        if let Err(error) = shared.store.drop_ended_sessions(Utc::now(), idle) {
            error!(%error, "sessions that have ended cannot be removed");
        }
        if !shared.stop.sleep(KEEP_EVERY) {
            return;
        }
    }
}

/// Looks after other nodes of the database that have ended, until this one does.
fn adopt(shared: &Shared) {
    while shared.stop.sleep(ADOPT_EVERY) {
        match shared.store.adopt_from_dead_nodes(Utc::now()) {
            Ok(adopted) => {
                for Adopted { node, left } in adopted {
                    warn!(node, ?left, "another node has ended; what it left goes on here");
                }
            }
            Err(error) => error!(%error, "whether other nodes have ended is not known"),
        }
    }
}

/// Tells who listens that the list changed, at most a few times a second.
fn announce(shared: &Shared) {
    let mut seen = 0;
    while shared.stop.sleep(Duration::from_millis(200)) {
        let now = shared.store.wait_for_change(seen, Duration::from_secs(1));
        if now != seen {
            seen = now;
            shared.changes.send_replace(now);
        }
    }
}
