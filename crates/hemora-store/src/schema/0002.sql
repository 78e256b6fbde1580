-- What readers see of a result and say of it; users, sessions and tokens as they are used.

-- JSON that is kept with the result, and the slice to look at first.
ALTER TABLE result ADD COLUMN findings TEXT NOT NULL DEFAULT 'null';
-- The commonest reason for which images of a study that is not scored were left out.
ALTER TABLE result ADD COLUMN cause TEXT;
ALTER TABLE result ADD COLUMN key_series INTEGER;
ALTER TABLE result ADD COLUMN key_slice INTEGER;
CREATE INDEX result_model ON result (model_sha256, made_at);

-- Derived from images, until they go.
CREATE TABLE artifact (
    study_uid TEXT NOT NULL,
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (study_uid, revision, name)
) STRICT;

-- Of the newest result.
ALTER TABLE study ADD COLUMN key_series INTEGER;
ALTER TABLE study ADD COLUMN key_slice INTEGER;
-- Who acknowledged it last, whether or not that still holds: `read_at` says so.
ALTER TABLE study ADD COLUMN read_by TEXT;
UPDATE study SET read_by = (SELECT user FROM reading
    WHERE reading.study_uid = study.study_uid AND event = 'acknowledged' ORDER BY id DESC LIMIT 1);
CREATE INDEX study_result ON study (result_at);

-- The revision that was shown: for older rows the newest that there was.
ALTER TABLE reading ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE reading SET revision = COALESCE((SELECT max(revision) FROM result
    WHERE result.study_uid = reading.study_uid AND result.made_at <= reading.at), 0);

CREATE INDEX association_opened ON association (opened_at);
CREATE INDEX instance_association ON instance (association_id);
CREATE INDEX delivery_failing ON delivery (id)
    WHERE state = 'given up' OR (state IN ('waiting', 'sending') AND attempts > 0);
CREATE INDEX audit_who ON audit (who);
CREATE INDEX audit_study ON audit (study) WHERE study IS NOT NULL;

ALTER TABLE user RENAME TO user_of_1;
CREATE TABLE user (
    -- The name in lower case: of names that differ in case alone there is one.
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    seen_at INTEGER
) STRICT;
INSERT INTO user (key, name, password_hash, role, disabled, created_at)
    SELECT lower(name), name, password_hash, role, disabled, created_at FROM user_of_1;
DROP TABLE user_of_1;

-- Nobody could log in before.
DROP TABLE session;
CREATE TABLE session (
    id_hash BLOB PRIMARY KEY,
    -- Key of the user.
    user TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_user ON session (user);

ALTER TABLE token RENAME TO token_of_1;
CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;
INSERT INTO token (hash, name, scope, created_at, used_at, revoked_at)
    SELECT hash, name, scope, created_at, used_at, revoked_at FROM token_of_1 ORDER BY created_at;
DROP TABLE token_of_1;
