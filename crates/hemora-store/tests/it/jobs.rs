//! Jobs: who comes first, who has the lease, what becomes of failures and of clocks that jump.

use hemora_store::{Class, JobFate, LONGEST_LEASE, Store, StoreError, StudyState};

use crate::place;
use crate::support::{MINUTE, at, delivery, leased, quick, result, settled, store};

#[test]
fn urgent_comes_before_predicted_positive_before_old() {
    let (_folder, store) = store();
    for (seconds, study) in ["1.1", "1.2", "1.3", "1.4", "1.5"].into_iter().enumerate() {
        settled(&store, study, seconds as i64);
    }
    store.note_partial("1.3", 0.6, at(9)).unwrap();
    store.note_partial("1.4", 0.9, at(9)).unwrap();
    store.note_partial("1.2", 0.2, at(9)).unwrap();
    store.set_stat("1.5", true).unwrap();
    let order: Vec<String> = (0..5).map(|_| leased(&store, 10).study_uid).collect();
    assert_eq!(order, ["1.5", "1.3", "1.4", "1.1", "1.2"]);
    assert!(store.lease("worker", at(10), MINUTE).unwrap().is_none());
    assert!(matches!(store.note_partial("1.1", f64::NAN, at(9)), Err(StoreError::BadValue { .. })));
    assert!(matches!(store.note_partial("9", 0.5, at(9)), Err(StoreError::NoStudy(_))));
}

#[test]
fn a_job_has_one_owner_and_a_lost_one_completes_nothing() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    let first = leased(&store, 10);
    store.renew(&first, at(60), MINUTE).unwrap();
    assert!(store.lease("other", at(119), MINUTE).unwrap().is_none());
    let second = store.lease("other", at(120), MINUTE).unwrap().unwrap();
    assert_eq!((second.id, second.failures), (first.id, 1));
    let sent = vec![delivery("RIS", "oru")];
    let lost =
        store.complete(&first, result(Class::Positive, 0.9), sent.clone(), vec![]).unwrap_err();
    assert!(lost.to_string().contains("no longer leased by worker"), "{lost}");
    assert!(store.renew(&first, at(121), MINUTE).is_err());
    assert!(store.fail(&first, "x", at(121)).is_err());
    assert!(store.result("1.1", None).unwrap().is_none());
    assert!(store.deliveries("1.1").unwrap().is_empty());
    store.complete(&second, result(Class::Positive, 0.9), sent, vec![]).unwrap();
    assert_eq!(store.deliveries("1.1").unwrap().len(), 1);
    let twice = store.complete(&second, result(Class::Positive, 0.9), vec![], vec![]).unwrap_err();
    assert!(matches!(twice, StoreError::LeaseLost { .. }), "{twice}");
}

#[test]
fn a_result_and_its_deliveries_are_one() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    let job = leased(&store, 10);
    // The second delivery is the first again, which the table refuses: then nothing is stored at all.
    let twice = vec![delivery("RIS", "oru"), delivery("RIS", "oru")];
    assert!(store.complete(&job, result(Class::Positive, 0.9), twice, vec![]).is_err());
    assert!(store.result("1.1", None).unwrap().is_none());
    assert!(store.deliveries("1.1").unwrap().is_empty());
    assert_eq!(store.study("1.1").unwrap().unwrap().state, StudyState::Scoring);
    store
        .complete(&job, result(Class::Positive, 0.9), vec![delivery("RIS", "oru")], vec![])
        .unwrap();
}

#[test]
fn a_job_that_fails_waits_longer_each_time_and_dies_in_sight() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    let (mut now, mut delays) = (10, Vec::new());
    loop {
        let job = leased(&store, now);
        assert_eq!(job.failures as usize, delays.len());
        match store.fail(&job, "the decoder failed", at(now)).unwrap() {
            JobFate::Retry(again) => {
                let delay = (again - at(now)).num_seconds();
                assert!(store.lease("worker", at(now + delay - 1), MINUTE).unwrap().is_none());
                delays.push(delay);
                now += delay;
            }
            JobFate::Dead => break,
        }
    }
    assert_eq!(delays, [5, 20, 80, 320]);
    assert!(store.lease("worker", at(1_000_000), MINUTE).unwrap().is_none());
    let study = store.study("1.1").unwrap().unwrap();
    assert_eq!(study.state, StudyState::Failed);
    assert_eq!(study.last_error.as_deref(), Some("the decoder failed"));
    assert_eq!(store.counts().unwrap().jobs_dead, 1);
    // It runs again when somebody says so, as the same revision.
    let again = store.rescore("1.1", "kim", at(now)).unwrap();
    assert_eq!((again.revision, again.is_new), (1, false));
    let job = leased(&store, now);
    assert_eq!(job.failures, 0);
    store.complete(&job, result(Class::Negative, 0.1), vec![], vec![]).unwrap();
    assert_eq!(store.study("1.1").unwrap().unwrap().last_error, None);
}

#[test]
fn a_clock_that_jumps_back_makes_no_lease_immortal_and_loses_no_retry() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    settled(&store, "1.2", 1);
    let year = 365 * 86_400;
    let leased_ahead = store.lease("worker", at(year), MINUTE).unwrap().unwrap();
    let failed_ahead = store.lease("worker", at(year), MINUTE).unwrap().unwrap();
    store.fail(&failed_ahead, "x", at(year)).unwrap();
    // The clock is a year back, and both are to be had.
    let mut studies = [leased(&store, 10).study_uid, leased(&store, 10).study_uid];
    studies.sort();
    assert_eq!(studies, ["1.1", "1.2"]);
    let lost = store.renew(&leased_ahead, at(10), MINUTE).unwrap_err();
    assert!(matches!(lost, StoreError::LeaseLost { .. }), "{lost}");
}

#[test]
fn no_lease_is_longer_than_the_longest() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    let job = store.lease("worker", at(10), LONGEST_LEASE * 100).unwrap().unwrap();
    let end = 10 + LONGEST_LEASE.as_secs() as i64;
    assert!(store.lease("other", at(end - 1), MINUTE).unwrap().is_none());
    assert_eq!(store.lease("other", at(end), MINUTE).unwrap().unwrap().id, job.id);
}

#[test]
fn leases_end_with_the_node_and_a_study_that_ends_it_comes_last_then_dies() {
    let (folder, mut store) = store();
    settled(&store, "1.1", 0);
    settled(&store, "1.2", 1);
    let reopen = |store: Store| {
        drop(store);
        place::open(folder.path(), quick()).unwrap()
    };
    for _ in 0..3 {
        assert_eq!(leased(&store, 10).study_uid, "1.1");
        store = reopen(store);
        assert_eq!(store.recovered().leases_ended, 1);
    }
    // Three times the node ended during 1.1: the other one has its turn.
    let job = leased(&store, 10);
    assert_eq!((job.study_uid.as_str(), job.failures), ("1.2", 0));
    store.complete(&job, result(Class::Negative, 0.1), vec![], vec![]).unwrap();
    for _ in 3..10 {
        assert_eq!(leased(&store, 10).study_uid, "1.1");
        store = reopen(store);
    }
    assert!(store.lease("worker", at(10), MINUTE).unwrap().is_none());
    let study = store.study("1.1").unwrap().unwrap();
    assert_eq!(study.state, StudyState::Failed);
    assert!(study.last_error.unwrap().contains("ended 10 times"));
}

#[test]
fn a_job_that_is_released_bears_no_mark() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    let job = leased(&store, 10);
    store.release(&job).unwrap();
    assert!(store.release(&job).is_err());
    assert_eq!(leased(&store, 10).failures, 0);
}

#[test]
fn what_the_engine_remembers_is_there_until_the_images_go() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    assert_eq!(store.remembered(&[1; 32]).unwrap(), None);
    store.remember(&[1; 32], "1.1", b"scores").unwrap();
    store.remember(&[1; 32], "1.1", b"newer").unwrap();
    store.remember(&[3; 32], "9.9", b"of no study").unwrap();
    // A write that waits comes after those that do not.
    store.set_stat("1.1", true).unwrap();
    assert_eq!(store.remembered(&[1; 32]).unwrap().unwrap(), b"newer");
    assert_eq!(store.remembered(&[2; 32]).unwrap(), None);
    assert_eq!(store.remembered(&[3; 32]).unwrap(), None);
}
