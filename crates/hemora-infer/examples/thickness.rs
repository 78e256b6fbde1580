//! How far apart the probabilities of one head are, reconstructed in thin slices and in thick ones, by each rule
//! that makes a study of slices; and what heads without bleeds get.
//!
//! `thickness BUNDLE [HEADS]`: phantoms (20 unless told), every second one with a bleed of one subtype, in slices of
//! 0.625 mm, and the means of every eight of them as slices of 5 mm. Those that begin with the first thin slice lie
//! where the slabs of the thin ones do; a scanner's need not, so others begin 1.25, 2.5 and 3.75 mm behind it.

use std::error::Error;
use std::path::Path;

use hemora_ct::Label;
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, triage};
use hemora_io::{PixelStorage, collect};
use hemora_metrics::Aggregation;
use hemora_model::{Bundle, StudyResult};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, PhantomStudy, StudyIds, write_study};

/// Seed of the first head.
const FIRST: u64 = 500;
/// Distance of thin slices, mm.
const THIN_MM: f64 = 0.625;
/// Thin slices in a thick one.
const PARTS: usize = 8;
/// Thin slices that are left out before the first thick one; with none it lies where the first slab does.
const BEGINS: [usize; 4] = [0, 2, 4, 6];
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
    let mut seen = Vec::new();
    for head in 0..heads {
        let label = Label::SUBTYPES[(head as usize / 2) % Label::SUBTYPES.len()];
        let bleeds = head % 2 == 1;
        let options = PhantomOptions {
            bleeds: Bleeds::These(if bleeds { vec![label] } else { Vec::new() }),
            slice_spacing: THIN_MM,
            slice_thickness: THIN_MM,
            ..PhantomOptions::default().with_size(256)
        };
        let study = HeadPhantom::new(FIRST + head, options)?.render();
        let mut thick = Vec::new();
        for begin in BEGINS {
            thick.push(slices(&model, &study.thick(PARTS, begin))?);
        }
        seen.push(Head { bleeds, thin: slices(&model, &study)?, thick });
        eprintln!("{} of {heads} heads", head + 1);
    }
    println!(
        "       thin and thick apart: where slabs lie   where they do not      thick slices of any for\n\
         rule         mean  most   within .05   mean  most   within .05   healthy  bleeding  AUROC"
    );
    for rule in RULES {
        let whole = |slices: &Vec<f64>| rule.apply(&mut slices.clone()).unwrap_or(f64::NAN);
        let apart = |begins: std::ops::Range<usize>| {
            let of = |head: &Head| -> Vec<f64> {
                let thick = head.thick[begins.clone()].iter();
                thick.map(|thick| (whole(&head.thin) - whole(thick)).abs()).collect()
            };
            let apart: Vec<f64> = seen.iter().flat_map(of).collect();
            let within = apart.iter().filter(|apart| **apart <= 0.05).count();
            let most = apart.iter().copied().fold(0.0, f64::max);
            format!("{:.3}  {most:.3}  {within:2} of {:2}", mean(&apart), apart.len())
        };
        let of = |wanted: bool| -> Vec<f64> {
            let heads = seen.iter().filter(|head| head.bleeds == wanted);
            heads.flat_map(|head| head.thick.iter().map(whole)).collect()
        };
        let (healthy, bleeding) = (of(false), of(true));
        println!(
            "{:12} {}     {}     {:.3}    {:.3}     {:.3}",
            rule.to_string(),
            apart(0..1),
            apart(1..BEGINS.len()),
            mean(&healthy),
            mean(&bleeding),
            ranked(&bleeding, &healthy),
        );
    }
    Ok(())
}

/// The probabilities of one head's slices, or slabs, for any hemorrhage.
struct Head {
    bleeds: bool,
    thin: Vec<f64>,
    /// For each of [`BEGINS`].
    thick: Vec<Vec<f64>>,
}

/// The probabilities of a study's slices or slabs, written as DICOM and triaged.
fn slices(model: &LoadedModel, study: &PhantomStudy) -> Result<Vec<f64>, Box<dyn Error>> {
    let ids = StudyIds::from_seed(study.seed, study.slices.len());
    let folder = tempfile::tempdir()?;
    write_study(folder.path(), study, &ids, PixelStorage::Unsigned12 { intercept: -1024 })?;
    let collection = collect(&[folder.path().to_owned()], &|_, _| ());
    let mut result = triage(model, &collection, SeriesPolicy::Chosen, &|_, _| ());
    let study = result.studies.pop().ok_or("a phantom has no result")?;
    Ok(of_slabs(&study))
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
