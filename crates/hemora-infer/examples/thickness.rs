//! How far apart the probabilities of one head are, seen in thin slices and in thick ones, by each rule that makes
//! a study of slices; and what heads without bleeds get.
//!
//! `thickness BUNDLE [HEADS]`: phantoms (20 unless told), every second one with a bleed of one subtype, in slices of
//! 0.625 mm and of 5 mm.

use std::error::Error;
use std::path::Path;

use hemora_ct::Label;
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, triage};
use hemora_io::{PixelStorage, collect};
use hemora_metrics::Aggregation;
use hemora_model::{Bundle, StudyResult};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, StudyIds, write_study};

/// Seed of the first head.
const FIRST: u64 = 500;
const RULES: [Aggregation; 6] = [
    Aggregation::TopMean(3),
    Aggregation::Max,
    Aggregation::RunMean(2),
    Aggregation::RunMean(3),
    Aggregation::RunMean(4),
    Aggregation::RunMean(5),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, rest @ ..] = arguments.as_slice() else {
        return Err("expected BUNDLE [HEADS]".into());
    };
    let heads: u64 = rest.first().map_or(Ok(20), |heads| heads.parse())?;
    let model = LoadedModel::load(EngineKind::Tract, Bundle::open(Path::new(bundle))?, None)?;
    let folder = tempfile::tempdir()?;
    // Of each head whether it bleeds, and the probabilities of its slices or slabs for any hemorrhage.
    let mut seen: Vec<(bool, [Vec<f64>; 2])> = Vec::new();
    for head in 0..heads {
        let label = Label::SUBTYPES[(head as usize / 2) % Label::SUBTYPES.len()];
        let bleeds = if head % 2 == 0 { Vec::new() } else { vec![label] };
        let slices = |spacing: f64| -> Result<Vec<f64>, Box<dyn Error>> {
            let options = PhantomOptions {
                bleeds: Bleeds::These(bleeds.clone()),
                slice_spacing: spacing,
                slice_thickness: spacing,
                ..PhantomOptions::default().with_size(256)
            };
            let study = HeadPhantom::new(FIRST + head, options)?.render();
            let ids = StudyIds::from_seed(head, study.slices.len());
            let folder = folder.path().join(format!("{head}-{spacing}"));
            std::fs::create_dir(&folder)?;
            let storage = PixelStorage::Unsigned12 { intercept: -1024 };
            write_study(&folder, &study, &ids, storage)?;
            let collection = collect(std::slice::from_ref(&folder), &|_, _| ());
            let mut result = triage(&model, &collection, SeriesPolicy::Chosen, &|_, _| ());
            std::fs::remove_dir_all(folder)?;
            let study = result.studies.pop().ok_or("a phantom has no result")?;
            Ok(of_slabs(&study))
        };
        seen.push((head % 2 == 1, [slices(0.625)?, slices(5.0)?]));
        eprintln!("{} of {heads} heads", head + 1);
    }
    println!(
        "rule   apart: mean  most  within .05   thick slices: without a bleed  with one   AUROC"
    );
    for rule in RULES {
        let whole = |slices: &[f64]| rule.apply(&mut slices.to_vec()).unwrap_or(f64::NAN);
        let both: Vec<(bool, f64, f64)> = seen
            .iter()
            .map(|(bleeds, [thin, thick])| (*bleeds, whole(thin), whole(thick)))
            .collect();
        let apart: Vec<f64> = both.iter().map(|(_, thin, thick)| (thin - thick).abs()).collect();
        let within = apart.iter().filter(|apart| **apart <= 0.05).count();
        let of = |wanted: bool| -> Vec<f64> {
            both.iter().filter(|(bleeds, ..)| *bleeds == wanted).map(|(.., thick)| *thick).collect()
        };
        let (healthy, bleeding) = (of(false), of(true));
        let most = apart.iter().copied().fold(0.0, f64::max);
        println!(
            "{:6}        {:.3}  {most:.3}  {within} of {heads}                      {:.3}     {:.3}   {:.3}",
            rule.to_string(),
            mean(&apart),
            mean(&healthy),
            mean(&bleeding),
            ranked(&bleeding, &healthy),
        );
    }
    Ok(())
}

/// The probabilities for any hemorrhage of a study's slices, or slabs once each, which give all their slices the
/// same.
fn of_slabs(study: &StudyResult) -> Vec<f64> {
    let slices = study.series[0].slices.iter();
    let mut values: Vec<f64> = slices.map(|slice| f64::from(slice.probabilities.any)).collect();
    values.dedup();
    values
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Share of pairs of a bleeding and a healthy head that are ranked rightly.
fn ranked(bleeding: &[f64], healthy: &[f64]) -> f64 {
    let pair = |a: &f64, b: &f64| f64::from(u8::from(a > b)) + 0.5 * f64::from(u8::from(a == b));
    let pairs = bleeding.iter().flat_map(|a| healthy.iter().map(move |b| pair(a, b)));
    pairs.sum::<f64>() / (bleeding.len() * healthy.len()) as f64
}
