//! Triage as one call: from each kind of input, told of progress, and cancelled.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_infer::{Pictures, SeriesPolicy, Step, Triage, TriageError, TriageInput};

use crate::support::loaded;
use crate::triage::archive;

#[test]
fn paths_files_in_memory_and_a_collection_give_the_same_result() {
    let archive = archive();
    let model = loaded(&archive.bundle);
    let triage = Triage {
        policy: SeriesPolicy::AllAxial,
        pictures: Pictures { studies: 1, slices: 2 },
        ..Triage::new(&model)
    };
    let run = |input| triage.run(input, &|_| ControlFlow::Continue(())).unwrap();
    let collection = archive.collect();
    let from_collection = run(TriageInput::Collection(&collection));
    assert_eq!(from_collection.result, archive.triage(&collection));

    let folder = archive.folder.path().join("in");
    let from_paths = run(TriageInput::Paths(vec![folder.clone()]));
    assert_eq!(from_paths.result, from_collection.result);

    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Named as on disk, so that the sources in the results are the same.
        let name = path.to_str().unwrap().to_owned();
        if !name.ends_with(".txt") {
            files.push((name, std::fs::read(&path).unwrap().into()));
        }
    }
    let from_files = run(TriageInput::Files(files));
    assert_eq!(from_files.result.studies, from_collection.result.studies);

    for output in [from_collection, from_paths, from_files] {
        let first = &output.result.studies[0];
        assert_eq!(output.key_slices.len(), 2);
        for key in &output.key_slices {
            assert_eq!(key.study_instance_uid, first.study_instance_uid);
            let scored = &first.series[0].slices[key.index];
            assert_eq!(key.sop_instance_uid, scored.sop_instance_uid);
            assert_eq!(key.probabilities, scored.probabilities);
        }
    }
}

#[test]
fn progress_names_every_step_and_counts_to_its_end() {
    let archive = archive();
    let model = loaded(&archive.bundle);
    let seen = Mutex::new(Vec::new());
    let input = TriageInput::Paths(vec![archive.folder.path().join("in")]);
    let output = Triage::new(&model).run(input, &|progress| {
        seen.lock().unwrap().push(progress);
        ControlFlow::Continue(())
    });
    let result = output.unwrap().result;
    let seen = seen.into_inner().unwrap();
    for step in [Step::ReadHeaders, Step::ScoreSlices, Step::DrawSlices] {
        let calls: Vec<_> = seen.iter().filter(|progress| progress.step == step).collect();
        let total = calls[0].total;
        assert_eq!(calls.len(), total, "{step}");
        assert!(calls.iter().any(|progress| progress.done == total), "{step}");
    }
    let slices: usize =
        result.studies.iter().flat_map(|it| &it.series).map(|it| it.slices.len()).sum();
    let scored = seen.iter().filter(|progress| progress.step == Step::ScoreSlices).count();
    assert_eq!(scored, slices);
}

#[test]
fn reading_and_scoring_can_be_cancelled_and_nothing_follows() {
    let archive = archive();
    let model = loaded(&archive.bundle);
    for cancelled in [Step::ReadHeaders, Step::ScoreSlices] {
        let later = AtomicUsize::new(0);
        let input = TriageInput::Paths(vec![archive.folder.path().join("in")]);
        let output = Triage::new(&model).run(input, &|progress| {
            if progress.step > cancelled {
                later.fetch_add(1, Ordering::Relaxed);
            }
            match progress.step == cancelled {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        assert_eq!(output.unwrap_err(), TriageError::Cancelled { step: cancelled });
        assert_eq!(later.into_inner(), 0, "{cancelled}");
    }
}

#[test]
fn what_is_complete_is_not_lost_to_a_late_break() {
    let archive = archive();
    let model = loaded(&archive.bundle);
    let input = || TriageInput::Paths(vec![archive.folder.path().join("in")]);
    let whole = Triage::new(&model).run(input(), &|_| ControlFlow::Continue(())).unwrap();
    for late in [Step::ReadHeaders, Step::ScoreSlices, Step::DrawSlices] {
        let output = Triage::new(&model).run(input(), &|progress| match progress.step == late
            && progress.done == progress.total
        {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert_eq!(output.unwrap().result, whole.result, "{late}");
    }
    // The first study is drawn, no other.
    let output = Triage::new(&model).run(input(), &|progress| match progress.step {
        Step::DrawSlices => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let output = output.unwrap();
    assert_eq!(output.result, whole.result);
    let first = &whole.result.studies[0].study_instance_uid;
    assert!(output.key_slices.iter().all(|key| key.study_instance_uid == *first));
    assert!(!output.key_slices.is_empty() && output.key_slices.len() < whole.key_slices.len());
}
