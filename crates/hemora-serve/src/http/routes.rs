//! Every route of the node, with who may call it. What is not in this table is refused to everybody.

use std::sync::LazyLock;

use axum::http::Method;

use super::types::{Role, Scope};

/// A route: method, path, who may call it, what it does, its body and its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    /// Schema of the body.
    pub(super) body: Option<&'static str>,
    pub(super) answer: Content,
}

/// What a route answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// A document of the schema.
    One(&'static str),
    /// An array of them.
    List(&'static str),
    /// A document of a schema that stands elsewhere.
    Json,
    /// Text of a media type, and what it is.
    Text(&'static str, &'static str),
    /// Bytes of a media type, and what they are.
    Bytes(&'static str, &'static str),
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody: nothing of a patient is there.
    Everybody,
    /// Users of this role or a higher one, and programs with a token of this scope or a wider one.
    From(Role, Option<Scope>),
}

impl Access {
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Everybody => "For everybody.",
            Self::From(Role::Reader, Some(Scope::Read)) => {
                "For readers, and programs with the scope `read`."
            }
            Self::From(Role::Reader, _) => "For readers.",
            Self::From(Role::ImagingTeam, Some(Scope::Operate)) => {
                "For the imaging team, and programs with the scope `operate`."
            }
            Self::From(Role::ImagingTeam, Some(_)) => {
                "For the imaging team, and programs with the scope `metrics`."
            }
            Self::From(Role::ImagingTeam, None) => "For the imaging team.",
            Self::From(Role::Administrator, _) => "For administrators.",
        }
    }
}

/// What the table says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Who may make it.
    Route(Access),
    /// The path is there with other methods.
    OtherMethod,
    /// The path is not there.
    No,
}

static TABLE: LazyLock<Vec<Route>> = LazyLock::new(routes);

/// Looks a request up, by the path of its route.
pub(super) fn known(method: &Method, path: &str) -> Known {
    // What answers GET answers HEAD, without the body.
    let method = if method == Method::HEAD { "get" } else { method.as_str() };
    let mut of_path = TABLE.iter().filter(|route| route.path == path).peekable();
    if of_path.peek().is_none() {
        return Known::No;
    }
    let route = of_path.find(|route| route.method.eq_ignore_ascii_case(method));
    route.map_or(Known::OtherMethod, |route| Known::Route(route.access))
}

/// Whether a route reads images, or all of the audit.
pub(super) fn takes_long(path: &str) -> bool {
    let reads_images = |route: &Route| matches!(route.answer, Content::Bytes(..));
    path.ends_with("/audit/verify") || TABLE.iter().any(|it| it.path == path && reads_images(it))
}

const EVERYBODY: Access = Access::Everybody;
const READ: Access = Access::From(Role::Reader, Some(Scope::Read));
const READER: Access = Access::From(Role::Reader, None);
const OPERATE: Access = Access::From(Role::ImagingTeam, Some(Scope::Operate));
const METRICS: Access = Access::From(Role::ImagingTeam, Some(Scope::Metrics));
const TEAM: Access = Access::From(Role::ImagingTeam, None);
const ADMINISTRATOR: Access = Access::From(Role::Administrator, None);

/// Filters of the list.
const FILTERS: [(&str, &str); 6] = [
    ("state", "Studies of this state only"),
    ("class", "Studies of this class only"),
    ("since", "Studies whose last image came then or later (RFC 3339)"),
    ("q", "Studies with this in patient, accession number, description or UID"),
    ("limit", "At most so many, 1 to 200; 50 if absent"),
    ("after", "The cursor that the page before gave as `next`"),
];

const OF_REVISION: [(&str, &str); 1] = [("revision", "Of this revision; the newest if absent")];

const WEEKS: [(&str, &str); 1] = [("weeks", "So many weeks back, 1 to 104; 12 if absent")];

const AUDIT: [(&str, &str); 5] = [
    ("who", "Of this user, token or AE title only"),
    ("what", "Of this kind only"),
    ("study", "Of this StudyInstanceUID only"),
    ("before", "Rows with a lower number only"),
    ("limit", "At most so many, 1 to 500; 100 if absent"),
];

const fn get(path: &'static str, access: Access, summary: &'static str, answer: Content) -> Route {
    Route { method: "get", path, access, summary, query: &[], body: None, answer }
}

const fn post(
    path: &'static str,
    access: Access,
    summary: &'static str,
    body: Option<&'static str>,
    answer: Content,
) -> Route {
    Route { method: "post", path, access, summary, query: &[], body, answer }
}

/// Shows a page.
const fn page(path: &'static str, summary: &'static str) -> Route {
    get(
        path,
        EVERYBODY,
        summary,
        Content::Text("text/html", "The page; what it shows needs a login"),
    )
}

/// Every route.
pub(super) fn routes() -> Vec<Route> {
    use Content::{Bytes, Json, List, One, Text};
    let with = |query, route| Route { query, ..route };
    let of_study = [
        get("/api/v1/studies/{uid}", READ, "One study", One("Study")),
        with(
            &OF_REVISION,
            get(
                "/api/v1/studies/{uid}/result",
                READ,
                "Its result, as `hemora triage` writes it (result-1.schema.json)",
                Json,
            ),
        ),
        get(
            "/api/v1/studies/{uid}/revisions",
            READ,
            "Its revisions, oldest first",
            List("StudyRevision"),
        ),
        get("/api/v1/studies/{uid}/deliveries", READ, "What is sent of it", List("StudyDelivery")),
        with(
            &OF_REVISION,
            get(
                "/api/v1/studies/{uid}/view",
                READ,
                "All that a reader sees of it but the pixels; the audit notes that it was looked at",
                One("StudyView"),
            ),
        ),
        with(
            &OF_REVISION,
            get(
                "/api/v1/studies/{uid}/maps",
                READ,
                "Where the networks see what they see",
                One("StudyMaps"),
            ),
        ),
        get(
            "/api/v1/studies/{uid}/thumbnail",
            READ,
            "The key slice of the newest result, brain window, at most 128 pixels wide",
            Bytes("image/png", "The picture"),
        ),
        with(
            &[
                ("revision", "Of this revision; the newest if absent"),
                ("side", "Reduced to at most so many rows and columns, 16 to 1024"),
            ],
            get(
                "/api/v1/studies/{uid}/series/{series}/slices/{slice}",
                READ,
                "The pixels of a slice, upright, HU; rows and columns are in the headers `hemora-rows` \
                 and `hemora-columns`",
                Bytes(
                    "application/octet-stream",
                    "16-bit signed integers, little endian, row by row",
                ),
            ),
        ),
        with(
            &[
                ("revision", "Of this revision; the newest if absent"),
                ("window", "brain, subdural, stroke, bone or soft; brain if absent"),
            ],
            get(
                "/api/v1/studies/{uid}/series/{series}/slices/{slice}/picture",
                READ,
                "A slice, upright, in a window, every pixel of it",
                Bytes("image/png", "The picture, 8-bit grey"),
            ),
        ),
        with(
            &OF_REVISION,
            get(
                "/api/v1/studies/{uid}/series/{series}/volume.nii.gz",
                READ,
                "A series as a NIfTI-1 volume of HU; the audit notes the export",
                Bytes("application/gzip", "The volume, 16-bit signed integers"),
            ),
        ),
        post(
            "/api/v1/studies/{uid}/acknowledge",
            READER,
            "Says that its result was seen; whoever was first stays",
            Some("ShownRevision"),
            One("Acknowledged"),
        ),
        post(
            "/api/v1/studies/{uid}/unacknowledge",
            READER,
            "Takes that back",
            Some("ShownRevision"),
            One("Done"),
        ),
        post(
            "/api/v1/studies/{uid}/feedback",
            READER,
            "Agrees or disagrees with what is said of a label",
            Some("Feedback"),
            One("Done"),
        ),
        post("/api/v1/studies/{uid}/notes", READER, "Adds a note", Some("NewNote"), One("Done")),
        post("/api/v1/studies/{uid}/rescore", OPERATE, "Scores it again", None, One("Done")),
        post(
            "/api/v1/studies/{uid}/deliveries/{id}/retry",
            OPERATE,
            "Sends a delivery now",
            None,
            One("Done"),
        ),
    ];
    let of_node = [
        get("/api/v1/thresholds", READ, "The thresholds of the site", One("ThresholdsNow")),
        post(
            "/api/v1/thresholds",
            ADMINISTRATOR,
            "Sets the thresholds of the site",
            Some("NewThresholds"),
            One("Done"),
        ),
        get(
            "/api/v1/events",
            READ,
            "Says when the list changed",
            Text("text/event-stream", "Events `change`"),
        ),
        with(&WEEKS, get("/api/v1/quality", READER, "How good the node is here", One("Quality"))),
        with(
            &WEEKS,
            get(
                "/api/v1/quality.csv",
                READER,
                "The studies behind it, one a row, without names; the audit notes the export",
                Text("text/csv", "A table"),
            ),
        ),
        get("/api/v1/system", TEAM, "The state of the node", One("System")),
        get(
            "/metrics",
            METRICS,
            "Figures for Prometheus",
            Text("text/plain", "Prometheus' text format"),
        ),
    ];
    let of_people = [
        post(
            "/api/v1/setup",
            EVERYBODY,
            "Makes the first administrator",
            Some("FirstAdministrator"),
            One("Session"),
        ),
        post("/api/v1/login", EVERYBODY, "Begins a session", Some("Credentials"), One("Session")),
        post("/api/v1/logout", READER, "Ends the session", None, One("Done")),
        get("/api/v1/session", READER, "Who is logged in", One("Session")),
        post(
            "/api/v1/password",
            READER,
            "Changes one's own password",
            Some("NewPassword"),
            One("Done"),
        ),
        get("/api/v1/users", ADMINISTRATOR, "All users, by name", List("User")),
        post("/api/v1/users", ADMINISTRATOR, "Makes a user", Some("NewUser"), One("User")),
        post(
            "/api/v1/users/{name}",
            ADMINISTRATOR,
            "Changes a user",
            Some("UserChange"),
            One("User"),
        ),
        get("/api/v1/tokens", ADMINISTRATOR, "All tokens, newest first", List("Token")),
        post("/api/v1/tokens", ADMINISTRATOR, "Makes a token", Some("NewToken"), One("MadeToken")),
        post("/api/v1/tokens/{id}/revoke", ADMINISTRATOR, "Takes a token back", None, One("Done")),
        with(
            &AUDIT,
            get("/api/v1/audit", ADMINISTRATOR, "Who did what, newest first", One("AuditPage")),
        ),
        get(
            "/api/v1/audit/verify",
            ADMINISTRATOR,
            "Checks the chain of the audit",
            One("AuditVerified"),
        ),
    ];
    let open = [
        get("/api/v1/openapi.json", EVERYBODY, "This document", Json),
        page("/", "The worklist"),
        page("/study/{uid}", "A study"),
        page("/quality", "How good the node is here"),
        page("/system", "The state of the node"),
        page("/audit", "Who did what"),
        page("/users", "Users and tokens"),
        page("/login", "The login"),
        get(
            "/page/{file}",
            EVERYBODY,
            "A file of the pages",
            Bytes("text/javascript", "Script, style or licences"),
        ),
        get("/live", EVERYBODY, "Whether the program runs", Text("text/plain", "It runs")),
        get(
            "/ready",
            EVERYBODY,
            "Whether images are taken and scored",
            Text("text/plain", "They are"),
        ),
    ];
    let list = with(&FILTERS, get("/api/v1/studies", READ, "The ranked list", One("StudyList")));
    [list].into_iter().chain(of_study).chain(of_node).chain(of_people).chain(open).collect()
}
