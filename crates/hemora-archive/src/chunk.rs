//! A chunk of whole studies to the rows of its tables.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use hemora_infer::{LoadedModel, Pictures, SeriesPolicy, Step, Triage, TriageInput, key_slices};
use hemora_io::{Collection, ReadOptions, SourceList, choose_series, collect_sources};
use hemora_model::{SkippedFile, StudyResult, TriageResult, Verdict};
use hemora_report::{ReportError, SlicePicture};
use rayon::prelude::*;

use crate::images::{Image, to_read};
use crate::pictured::Pictured;
use crate::plan::is_unnamed;
use crate::rank::{Leaders, Rank};
use crate::tables::{Row, skipped_row, slice_row, study_row};
use crate::{ArchiveError, Counts};

/// How studies are scored.
pub(crate) struct Scoring<'a> {
    pub(crate) model: &'a LoadedModel,
    pub(crate) policy: SeriesPolicy,
    pub(crate) pictures: Pictures,
}

/// The rows of a chunk, in the order of the studies' keys.
#[derive(Debug, Default)]
pub(crate) struct Scored {
    pub(crate) studies: Vec<Row>,
    pub(crate) slices: Vec<Row>,
    pub(crate) skipped: Vec<Row>,
    /// Lines of the studies that are among the most suspicious so far.
    pub(crate) pictured: Vec<String>,
    pub(crate) counts: Counts,
}

/// What became of an image that has no result.
struct Fate {
    reason: String,
    failed: bool,
}

/// Images that were scored together.
struct Group {
    collection: Collection,
    /// Studies with their keys.
    studies: Vec<(String, StudyResult)>,
}

impl Scoring<'_> {
    /// Scores the studies of a chunk, whose images stand in the order of their keys. The most suspicious of
    /// them join `leaders`. `progress` gets the images that are done.
    pub(crate) fn chunk(
        &self,
        images: &[(String, Image)],
        leaders: &mut Leaders,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Scored, ArchiveError> {
        // What a study without an identifier is depends on what it is read with: each is read alone, so that
        // chunks and shares change nothing.
        let mut together: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, (key, _)) in images.iter().enumerate() {
            together.entry(if is_unnamed(key) { key } else { "" }).or_default().push(at);
        }
        let mut fates: Vec<Option<Fate>> = images.iter().map(|_| None).collect();
        let mut scored = vec![false; images.len()];
        let (mut groups, mut done) = (Vec::new(), 0);
        for of_group in together.into_values() {
            let advance = |of_this: usize| progress(done + of_this.min(of_group.len()));
            groups.push(self.group(images, &of_group, &mut scored, &mut fates, &advance));
            done += of_group.len();
            progress(done);
        }
        let mut rows = Scored::default();
        for (at, ((key, image), fate)) in images.iter().zip(fates).enumerate() {
            if scored[at] {
                continue;
            }
            let source = image.source.to_string();
            let fate = fate.unwrap_or_else(|| Fate {
                reason: image.error.clone().unwrap_or_else(|| {
                    "the index names it, and nothing was found of it; bring the index up to date \
                     with `hemora index`"
                        .to_owned()
                }),
                failed: true,
            });
            rows.counts.failed += u64::from(fate.failed);
            rows.skipped.push(skipped_row(key, &source, &fate.reason, fate.failed));
        }
        rows.counts.rows = images.len() as u64;
        rows.counts.skipped = rows.skipped.len() as u64;
        rows.add_studies(&groups);
        rows.pictured = self.pictured(&groups, leaders)?;
        Ok(rows)
    }

    /// Scores the images at `places`; marks those that have a result, and says of others why not.
    fn group(
        &self,
        images: &[(String, Image)],
        places: &[usize],
        scored: &mut [bool],
        fates: &mut [Option<Fate>],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Group {
        let of_group: Vec<&Image> = places.iter().map(|at| &images[*at].1).collect();
        let (sources, not_read) = to_read(&of_group);
        let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, reason) in not_read {
            let at = places[at];
            *missing.entry(&images[at].0).or_default() += 1;
            fates[at] = Some(Fate { reason, failed: true });
        }
        let mut list = SourceList::default();
        list.sources = sources;
        let go_on = |_, _| ControlFlow::Continue(());
        let collection = collect_sources(list, &ReadOptions::default(), &go_on).unwrap_or_default();
        let triage = Triage {
            policy: self.policy,
            // They are drawn when it is known which studies lead.
            pictures: Pictures { studies: 0, ..self.pictures },
            ..Triage::new(self.model)
        };
        let output = triage.run(TriageInput::Collection(&collection), &|at| {
            if at.step == Step::ScoreSlices {
                progress(at.done);
            }
            ControlFlow::Continue(())
        });
        let TriageResult { studies: results, skipped, .. } =
            output.expect("this progress never breaks").result;
        // Two entries of an archive may have one name.
        let mut open: HashMap<String, Vec<usize>> = HashMap::new();
        for at in places.iter().rev().filter(|at| fates[**at].is_none()) {
            open.entry(images[*at].1.source.to_string()).or_default().push(*at);
        }
        let mut take = |source: &str| open.get_mut(source).and_then(Vec::pop);
        let mut studies = Vec::with_capacity(results.len());
        for mut study in results {
            let mut key = None;
            for slice in study.series.iter().flat_map(|series| &series.slices) {
                if let Some(at) = take(&slice.source) {
                    scored[at] = true;
                    key.get_or_insert(&images[at].0);
                }
            }
            let key = key.unwrap_or(&study.study_instance_uid).clone();
            if let Some(count) = missing.get(key.as_str()) {
                lacks_images(&mut study, *count);
            }
            studies.push((key, study));
        }
        for (source, reason, failed) in left_out(&skipped, &collection) {
            if let Some(at) = take(&source) {
                fates[at] = Some(Fate { reason, failed });
            }
        }
        Group { collection, studies }
    }

    /// Adds the studies to the leaders, and draws those that stay among them.
    fn pictured(
        &self,
        groups: &[Group],
        leaders: &mut Leaders,
    ) -> Result<Vec<String>, ArchiveError> {
        let studies = || {
            groups.iter().flat_map(move |group: &Group| {
                group.studies.iter().map(move |(_, study)| (&group.collection, study))
            })
        };
        studies().for_each(|(_, study)| leaders.add(Rank::of(study)));
        let leading: Vec<(&Collection, &StudyResult)> =
            studies().filter(|(_, study)| leaders.has(&Rank::of(study))).collect();
        let draw = |(collection, study): (&Collection, &StudyResult)| {
            let keys = key_slices(self.model, collection, study, self.pictures.slices);
            let pictures = keys.iter().map(SlicePicture::from_key_slice).collect::<Result<_, _>>();
            let pictures = pictures.map_err(|source: ReportError| ArchiveError::Report {
                file: format!("pictures of study {}", study.study_instance_uid),
                source,
            })?;
            Ok(Pictured { study: study.clone(), pictures }.to_line())
        };
        leading.into_par_iter().map(draw).collect()
    }
}

impl Scored {
    fn add_studies(&mut self, groups: &[Group]) {
        let mut studies: Vec<&(String, StudyResult)> =
            groups.iter().flat_map(|group| &group.studies).collect();
        let name =
            |study: &StudyResult| (study.study_instance_uid.clone(), study.patient_id.clone());
        studies.sort_by_cached_key(|(key, study)| (key.clone(), name(study)));
        for (key, study) in studies {
            self.studies.push(study_row(key, study));
            for series in &study.series {
                let row = |slice| slice_row(key, study, series, slice);
                self.slices.extend(series.slices.iter().map(row));
            }
            self.counts.series += study.series.len() as u64;
        }
        self.counts.studies = self.studies.len() as u64;
        self.counts.slices = self.slices.len() as u64;
    }
}

/// Says of a study that images of it could not be read.
fn lacks_images(study: &mut StudyResult, count: usize) {
    study.warnings.push(format!(
        "{count} of the images that the index names are gone, changed or cannot be read; see `skipped`"
    ));
    for said in study.certainty.iter_mut().filter(|said| said.verdict == Verdict::NotSure) {
        said.reasons.push(format!("{count} images of the study are missing"));
    }
}

/// Why images have no result: source, reason, and whether they failed. A result's `skipped` names the first of
/// those that one rule leaves out; the collection knows the others.
fn left_out(
    skipped: &[SkippedFile],
    collection: &Collection,
) -> impl Iterator<Item = (String, String, bool)> {
    let named = skipped.iter().map(|file| (file.source.clone(), file.reason.clone(), file.failed));
    let unread = collection
        .skipped
        .iter()
        .map(|file| (file.source.to_string(), file.reason.to_string(), file.reason.is_failure()));
    let of_series = collection.studies.iter().flat_map(|study| {
        let choices = choose_series(&study.series);
        study.series.iter().zip(choices).flat_map(|(series, choice)| {
            let reason = format!("its series was {choice}");
            let slices = series.slices.iter();
            slices.map(move |slice| (slice.source.to_string(), reason.clone(), false))
        })
    });
    // A slice that was scored, or named before, is not asked for again.
    named.chain(unread).chain(of_series)
}
