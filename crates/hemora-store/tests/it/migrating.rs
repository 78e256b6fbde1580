//! A data folder of an earlier Hemora is brought up to date with all that it holds.

use hemora_store::{Class, Store, UserUpdate};
use rusqlite::Connection;

use crate::support::{at, quick};

/// Rows as the first schema had them: a study that is read, one that is not, and people.
const ROWS: &str = "
INSERT INTO study (study_uid, patient_id, issuer_of_patient_id, patient_name, patient_birth_date,
    patient_sex, accession_number, description, study_date, study_time, institution, search,
    source_ae, first_at, last_at, state, revision, settled, unsettled, read_at, result_revision,
    class, probability, label, result_at, rank_group, rank_value)
VALUES
    ('1.1', 'P1', '', 'Doe^Jane', '', 'F', 'ACC7', 'CT head', '', '', '', 'doe^jane', 'CT1',
    1764000000000, 1764000000000, 'scored', 2, 'quiet', 0, 1764000250000, 2, 'positive', 0.9,
    'subdural', 1764000200000, 2, 0),
    ('1.2', 'P2', '', 'Roe^Rob', '', 'M', 'ACC8', 'CT head', '', '', '', 'roe^rob', 'CT1',
    1764000000000, 1764000000000, 'scored', 1, 'quiet', 0, NULL, 1, 'negative', 0.1, 'any',
    1764000100000, 2, 0);
INSERT INTO revision VALUES
    ('1.1', 1, 'quiet', 1764000090000, 1, zeroblob(32), 1),
    ('1.1', 2, 'quiet', 1764000190000, 2, zeroblob(32), 2),
    ('1.2', 1, 'quiet', 1764000090000, 1, zeroblob(32), 3);
INSERT INTO result VALUES
    ('1.1', 1, 'ab', zeroblob(32), 'negative', 0.2, 'any', NULL, '{\"schema\": 1}', 1764000100000),
    ('1.1', 2, 'ab', zeroblob(32), 'positive', 0.9, 'any', NULL, '{\"schema\": 2}', 1764000200000),
    ('1.2', 1, 'ab', zeroblob(32), 'negative', 0.1, 'any', NULL, '{\"schema\": 3}', 1764000100000);
INSERT INTO delivery (study_uid, revision, destination, kind, state, attempts, next_at, made_at, bytes)
VALUES ('1.1', 2, 'PACS', 'sr', 'waiting', 3, 1764000300000, 1764000200000, 5);
INSERT INTO reading (study_uid, user, event, label, note, at) VALUES
    ('1.1', 'kim', 'opened', NULL, '', 1764000050000),
    ('1.1', 'kim', 'disagreed', 'any', 'a note', 1764000150000),
    ('1.1', 'lee', 'acknowledged', NULL, '', 1764000250000);
INSERT INTO user VALUES ('Anna', 'hash', 'administrator', 0, 1764000000000);
INSERT INTO session VALUES (zeroblob(32), 'Anna', 1764000000000, 1764000000000, 9764000000000);
INSERT INTO token VALUES (zeroblob(32), 'ris', 'read', 1764000000000, 1764000001000, NULL);
";

/// A data folder of the first schema.
fn first() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("hemora.db")).unwrap();
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    connection.execute_batch(include_str!("../../src/schema/0001.sql")).unwrap();
    connection.execute_batch(ROWS).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    folder
}

#[test]
fn a_folder_of_the_first_schema_is_brought_up_with_what_it_holds() {
    let folder = first();
    let store = Store::open(folder.path(), quick()).unwrap();
    let old = store.result("1.1", Some(1)).unwrap().unwrap();
    assert_eq!((old.revision, old.json.as_str()), (1, "{\"schema\": 1}"));
    assert_eq!((old.findings.as_str(), old.key_slice), ("null", None));
    assert_eq!(store.result("1.1", None).unwrap().unwrap().class, Class::Positive);
    // What was said belongs to the revision that there was.
    let readings = store.readings("1.1").unwrap();
    let revisions: Vec<_> = readings.iter().map(|it| (it.note.as_str(), it.revision)).collect();
    assert_eq!(revisions, [("", 0), ("a note", 1), ("", 2)]);
    let extras = store.extras(&["1.1".to_owned(), "1.2".to_owned()]).unwrap();
    assert_eq!(extras["1.1"].acknowledged_by.as_deref(), Some("lee"));
    assert_eq!((extras["1.1"].failing, extras["1.2"].acknowledged_by.as_deref()), (1, None));
    assert_eq!(store.failing_deliveries(9).unwrap().len(), 1);
    let late = store.acknowledge("1.1", "kim", 2, at(300)).unwrap();
    assert_eq!((late.by.as_str(), late.at, late.now), ("lee", at(250), false));
    assert!(store.acknowledge("1.2", "kim", 1, at(300)).unwrap().now);
    // People are known, and log in again.
    let anna = store.user("anna").unwrap().unwrap();
    assert_eq!((anna.name.as_str(), anna.password_hash.as_str()), ("Anna", "hash"));
    assert!(store.session([0; 32]).unwrap().is_none());
    let disable = UserUpdate { disabled: Some(true), ..UserUpdate::default() };
    assert!(store.change_user("ANNA", disable, "Anna", at(300)).is_err());
    let token = store.token([0; 32]).unwrap().unwrap();
    assert_eq!((token.name.as_str(), token.used_at), ("ris", Some(at(1))));
    drop(store);
    // Once: it is opened again as it is.
    let store = Store::open(folder.path(), quick()).unwrap();
    assert_eq!(store.readings("1.2").unwrap().len(), 1);
    assert_eq!(store.tokens().unwrap().len(), 1);
}

#[test]
fn a_schema_that_cannot_be_brought_up_is_left_as_it_was() {
    let folder = first();
    let path = folder.path().join("hemora.db");
    // What is in the way of the last statements of the step.
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE token_of_1 (x)").unwrap();
    drop(connection);
    assert!(Store::open(folder.path(), quick()).is_err());
    let connection = Connection::open(&path).unwrap();
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    assert!(connection.prepare("SELECT findings FROM result").is_err());
    connection.execute_batch("DROP TABLE token_of_1").unwrap();
    drop(connection);
    let store = Store::open(folder.path(), quick()).unwrap();
    assert_eq!(store.readings("1.1").unwrap().len(), 3);
}

#[test]
fn a_backup_of_the_first_schema_is_restored() {
    let backup = first();
    let connection = Connection::open(backup.path().join("hemora.db")).unwrap();
    let sql = "INSERT INTO instance (sop_uid, sha256, series_uid, study_uid, patient_id, sop_class,
            transfer_syntax, bytes, path, received_at, association_id, seq)
         VALUES ('1.1.9', zeroblob(32), '1.1.1', '1.1', 'P1', '', '', 7, 'studies/aa/b', 0, 1, 1)";
    connection.execute(sql, []).unwrap();
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
    drop(connection);
    std::fs::write(backup.path().join("images.tsv"), "").unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Store::restore(backup.path(), folder.path()).unwrap().missing.len(), 1);
    let store = Store::open(folder.path(), quick()).unwrap();
    assert_eq!(store.study("1.1").unwrap().unwrap().evicted, 1);
    assert_eq!(store.readings("1.1").unwrap().len(), 3);
}
