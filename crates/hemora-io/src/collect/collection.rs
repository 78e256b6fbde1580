//! Files, folders and archives to studies.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::series::{assemble, compare_uids};
use super::walk::as_named;
use crate::header::Member;
use crate::reader::read_members;
use crate::source::frame_number;
use crate::{
    FileFormat, PictureWindow, ReadError, Reader, SeriesWarning, SliceHeader, Source, SourceList,
    Study, list_sources, with_readers,
};

/// A file that was not used, and why.
#[derive(Debug)]
pub struct Skipped {
    /// The file or entry.
    pub source: Source,
    /// Why.
    pub reason: ReadError,
}

/// Everything found under some paths.
#[derive(Debug, Default)]
pub struct Collection {
    /// Studies in the order of their UIDs.
    pub studies: Vec<Study>,
    /// What was not used, in the order of the sources.
    pub skipped: Vec<Skipped>,
    /// Reads the slices: it keeps files of several images for this collection alone.
    reader: Reader,
}

impl Collection {
    /// What reads the collection's slices; [`Series::read_slice`](crate::Series::read_slice) reads
    /// with it.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

/// Reads the headers below `paths` (files, folders, zip and tar archives) on all cores and groups them.
/// `progress(done, total)` is called from any thread.
///
/// Folders are walked with all folders below, following links once; hidden files are passed over
/// without a word. The same paths give the same result, whatever the thread count.
///
/// Never fails as a whole: what cannot be used is in [`Collection::skipped`].
pub fn collect(paths: &[PathBuf], progress: &(dyn Fn(usize, usize) + Sync)) -> Collection {
    collect_with(paths, &ReadOptions::default(), progress)
}

/// What a user declares of files that do not say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The window that PNG and JPEG pictures were made with; without it they are not used.
    pub window: Option<PictureWindow>,
}

/// As [`collect`], with what a user declares.
pub fn collect_with(
    paths: &[PathBuf],
    options: &ReadOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Collection {
    let go_on = |done, total| {
        progress(done, total);
        ControlFlow::Continue(())
    };
    collect_sources(list_sources(paths), options, &go_on).unwrap_or_default()
}

/// As [`collect_with`], of sources that are listed already. `None` if `progress(done, total)` breaks:
/// then no further file is read.
pub fn collect_sources(
    list: SourceList,
    options: &ReadOptions,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> Option<Collection> {
    let SourceList { mut sources, mut skipped, named, .. } = list;
    sources.sort();
    sources.dedup();
    let (done, total) = (AtomicUsize::new(0), sources.len());
    let read = |source: Source| {
        let mut result = read_members(&source);
        if let (Err(ReadError::UndeclaredWindow { .. }), Some(window)) = (&result, options.window) {
            result = read_members(&Source::Picture { file: Box::new(source.clone()), window });
        }
        let result: Result<Vec<Member>, ReadError> =
            result.map_err(|error| as_named(error, &source, named.contains(&source)));
        let now = done.fetch_add(1, Ordering::Relaxed) + 1;
        match progress(now, total) {
            // After the last file nothing is left to stop.
            ControlFlow::Break(()) if now < total => None,
            _ => Some((source, result)),
        }
    };
    let results: Vec<_> =
        with_readers(&sources, || sources.par_iter().cloned().map(read).collect::<Option<_>>())?;

    let mut members = Vec::new();
    for (source, result) in results {
        match result {
            Ok(images) => members.extend(images),
            Err(reason) => skipped.push(Skipped { source, reason }),
        }
    }
    Some(group_members(members, skipped))
}

/// Groups headers that were read before, as [`collect`] does with those it reads. The order of
/// `headers` decides only which of two copies of one image is used: the first.
pub fn group(headers: Vec<SliceHeader>) -> Collection {
    // What was assumed of a header in a series holds of that series.
    let member = |mut header: SliceHeader| {
        let assumed = header.assumed.take().and_then(|absent| Some((absent, header.plane.take()?)));
        Member { assumed, ..Member::new(header) }
    };
    group_members(headers.into_iter().map(member).collect(), Vec::new())
}

fn group_members(members: Vec<Member>, mut skipped: Vec<Skipped>) -> Collection {
    let reader = Reader::default();
    let mut patients: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
    for Member { header, .. } in &members {
        let known = patients.entry(header.study_instance_uid.clone()).or_default();
        known.extend(Some(header.patient_id.clone()).filter(|id| !id.is_empty()));
    }
    // A study is of one patient: under one UID, each has a study of his own. Images without a
    // PatientID go with the only patient that the others of their study name.
    let patient_of = |header: &SliceHeader| match patients.get(&header.study_instance_uid) {
        Some(known) if header.patient_id.is_empty() && known.len() == 1 => {
            known.first().cloned().unwrap_or_default()
        }
        _ => header.patient_id.clone(),
    };
    let mut series: BTreeMap<(Option<String>, String, Option<String>), Vec<Member>> =
        BTreeMap::new();
    for member in members {
        let header = &member.header;
        let (study, uid) = (header.study_instance_uid.clone(), header.series_instance_uid.clone());
        series.entry((study, patient_of(header), uid)).or_default().push(member);
    }
    let mut studies: BTreeMap<(Option<String>, String), Study> = BTreeMap::new();
    for ((uid, patient_id, series_uid), members) in series {
        let members = leave_duplicates_out(members, &mut skipped);
        let sharing = patients.get(&uid).map_or(0, BTreeSet::len);
        let key = (uid.clone(), patient_id.clone());
        let new = || Study { uid: uid.clone(), patient_id, series: Vec::new() };
        let study = studies.entry(key).or_insert_with(new);
        let mut parts = assemble(series_uid.as_deref(), members, &reader);
        if uid.is_some() && sharing > 1 {
            for part in &mut parts {
                part.warnings.push(SeriesWarning::SeveralPatients(sharing));
            }
        }
        study.series.extend(parts);
    }
    let mut studies: Vec<Study> = studies.into_values().collect();
    studies.sort_by(|a, b| {
        let by_uid = compare_uids(a.uid.as_deref(), b.uid.as_deref());
        by_uid.then_with(|| a.patient_id.cmp(&b.patient_id))
    });
    for study in &mut studies {
        // Stable, so the parts of a split series keep their order.
        study.series.sort_by(|a, b| {
            let longest = b.slices.len().cmp(&a.slices.len());
            longest.then_with(|| compare_uids(a.uid.as_deref(), b.uid.as_deref()))
        });
    }
    skipped.sort_by(|a, b| a.source.cmp(&b.source));
    Collection { studies, skipped, reader }
}

/// Keeps the first of files whose headers say all the same. Images that share a SOPInstanceUID but
/// differ elsewhere all stay: one of them could show what the other does not.
fn leave_duplicates_out(members: Vec<Member>, skipped: &mut Vec<Skipped>) -> Vec<Member> {
    let mut kept: Vec<Member> = Vec::new();
    // Two frames of one object are two images, whatever else they share.
    let mut by_uid: BTreeMap<(String, Option<usize>), Vec<usize>> = BTreeMap::new();
    for mut member in members {
        // Two pictures are called the same where their files end differently; that says nothing.
        let is_picture = matches!(member.header.format, FileFormat::Picture(_));
        let Some(uid) = member.header.sop_instance_uid.clone().filter(|_| !is_picture) else {
            kept.push(member);
            continue;
        };
        let same_uid = by_uid.entry((uid, frame_number(&member.header.source))).or_default();
        let mut others = same_uid.iter().map(|&index: &usize| &kept[index]);
        if let Some(twin) = others.find(|other| same_but_source(other, &mut member)) {
            let reason = ReadError::Duplicate { of: twin.header.source.clone() };
            skipped.push(Skipped { source: member.header.source, reason });
        } else {
            same_uid.push(kept.len());
            kept.push(member);
        }
    }
    kept
}

/// Whether two images differ in nothing but their source; `b` is as before afterwards.
fn same_but_source(a: &Member, b: &mut Member) -> bool {
    let source = std::mem::replace(&mut b.header.source, a.header.source.clone());
    let same = a.header == b.header && a.assumed == b.assumed;
    b.header.source = source;
    same
}
