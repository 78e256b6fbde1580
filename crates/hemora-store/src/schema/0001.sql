-- Times are milliseconds since 1970 (UTC), hashes SHA-256 as 32 bytes, paths relative to the data folder.

CREATE TABLE association (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    calling_ae TEXT NOT NULL,
    called_ae TEXT NOT NULL,
    peer TEXT NOT NULL,
    tls_subject TEXT,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    how TEXT
) STRICT;

CREATE TABLE study (
    study_uid TEXT PRIMARY KEY,
    patient_id TEXT NOT NULL,
    issuer_of_patient_id TEXT NOT NULL,
    patient_name TEXT NOT NULL,
    patient_birth_date TEXT NOT NULL,
    patient_sex TEXT NOT NULL,
    accession_number TEXT NOT NULL,
    description TEXT NOT NULL,
    study_date TEXT NOT NULL,
    study_time TEXT NOT NULL,
    institution TEXT NOT NULL,
    -- Lower case, of what a search looks at.
    search TEXT NOT NULL,
    source_ae TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    settled TEXT,
    -- Whether it has instances that no settled revision includes.
    unsettled INTEGER NOT NULL DEFAULT 1,
    stat INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0,
    read_at INTEGER,
    instances INTEGER NOT NULL DEFAULT 0,
    evicted INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    partial_probability REAL,
    partial_at INTEGER,
    -- Of the newest result.
    result_revision INTEGER,
    class TEXT,
    probability REAL,
    label TEXT,
    reason TEXT,
    result_at INTEGER,
    last_error TEXT,
    -- JSON array of texts.
    warnings TEXT NOT NULL DEFAULT '[]',
    -- Place in the list: lower comes first.
    rank_group INTEGER NOT NULL DEFAULT 2,
    rank_value REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX study_rank ON study (rank_group, rank_value, study_uid);
CREATE INDEX study_state ON study (state, last_at);
CREATE INDEX study_counts ON study (state, instances, bytes);
CREATE INDEX study_patient ON study (patient_id);
CREATE INDEX study_unsettled ON study (first_at) WHERE unsettled = 1;

CREATE TABLE instance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sop_uid TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    series_uid TEXT NOT NULL,
    study_uid TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    sop_class TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    path TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    association_id INTEGER NOT NULL,
    -- Order of arrival; of several with one UID in a study, the highest is used.
    seq INTEGER NOT NULL,
    evicted INTEGER NOT NULL DEFAULT 0,
    UNIQUE (sop_uid, sha256)
) STRICT;
CREATE INDEX instance_study ON instance (study_uid, seq);
CREATE INDEX instance_seq ON instance (seq);
CREATE INDEX instance_patient ON instance (patient_id);

-- Files whose rows are gone, until they are gone too.
CREATE TABLE trash (
    path TEXT PRIMARY KEY
) STRICT;

CREATE TABLE revision (
    study_uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    instance_set BLOB NOT NULL,
    -- Order of arrival of the last instance that it includes.
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (study_uid, revision)
) STRICT;

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    study_uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    -- waiting, leased, dead; a job that is done has no row.
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    -- Times that the node ended while it was at work on the job.
    interruptions INTEGER NOT NULL DEFAULT 0,
    lease INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until INTEGER,
    last_error TEXT,
    UNIQUE (study_uid, revision, kind)
) STRICT;

CREATE TABLE result (
    study_uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    model_sha256 TEXT NOT NULL,
    instance_set BLOB NOT NULL,
    class TEXT NOT NULL,
    probability REAL,
    label TEXT,
    reason TEXT,
    json TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (study_uid, revision)
) STRICT;

CREATE TABLE payload (
    sha256 BLOB PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    study_uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- waiting, sending, delivered, given up, superseded.
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    lease INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until INTEGER,
    made_at INTEGER NOT NULL,
    acked_at INTEGER,
    remote_status TEXT,
    last_error TEXT,
    -- NULL once it went with the images.
    payload BLOB,
    bytes INTEGER NOT NULL,
    UNIQUE (study_uid, revision, destination, kind)
) STRICT;
CREATE INDEX delivery_due ON delivery (next_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX delivery_destination ON delivery (destination, state, attempts);
CREATE INDEX delivery_payload ON delivery (payload);

-- What the engine computed of slices, by what it computed it from.
CREATE TABLE memory (
    key BLOB PRIMARY KEY,
    study_uid TEXT NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE INDEX memory_study ON memory (study_uid);

CREATE TABLE reading (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    study_uid TEXT NOT NULL,
    user TEXT NOT NULL,
    event TEXT NOT NULL,
    label TEXT,
    note TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX reading_study ON reading (study_uid);

CREATE TABLE user (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    id_hash BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;

CREATE TABLE token (
    hash BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    study TEXT,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE setting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX setting_name ON setting (name, id);
