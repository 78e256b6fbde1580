//! Damaged files never make the readers panic.
//!
//! `HEMORA_FUZZ_SECONDS=300` makes each of these tests go on for as long, with new damage.

use std::time::{Duration, Instant};

use hemora_io::{Source, collect, read_header, read_headers, read_slice};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::codecs::CODED;
use crate::encodings::{deflated, jpeg, run_length};
use crate::frames::enhanced;
use crate::raw::{Encoding, Front, Raw, write_file};
use crate::shared;

fn damage(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // Most of a file is its preamble and pixels; the changes that matter are in between.
    let begin = if bytes.get(128..132) == Some(b"DICM") { 132 } else { 0 };
    for _ in 0..random.random_range(1..6) {
        let place = random.random_range(begin..bytes.len());
        match random.random_range(0..4) {
            0 => bytes[place] ^= 1 << random.random_range(0..8),
            1 => bytes[place] = random.random(),
            2 => bytes[place] = 0xFF,
            _ => {
                let end = (place + random.random_range(1..5)).min(bytes.len());
                bytes[place..end].fill([0, 0xFF, 0x7F][random.random_range(0..3)]);
            }
        }
    }
    if random.random_bool(0.2) {
        bytes.truncate(random.random_range(begin..bytes.len()));
    }
    bytes
}

/// Reads damaged versions; gives how many were still accepted.
fn survive(originals: &[Vec<u8>], rounds: usize, seed: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut accepted = 0;
    let seconds = std::env::var("HEMORA_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let (begin, least) = (Instant::now(), Duration::from_secs(seconds.unwrap_or(0)));
    let mut runs = 0;
    while runs == 0 || begin.elapsed() < least {
        accepted += survive_once(originals, rounds, &folder, &mut random);
        runs += 1;
    }
    eprintln!("{} damaged files were read", runs * rounds * originals.len());
    accepted / runs
}

fn survive_once(
    originals: &[Vec<u8>],
    rounds: usize,
    folder: &tempfile::TempDir,
    random: &mut ChaCha8Rng,
) -> usize {
    let mut accepted = 0;
    for original in originals {
        for _ in 0..rounds {
            let path = write_file(folder.path(), "damaged.dcm", &damage(original, random));
            let source = Source::File(path.clone());
            let header = read_header(&source);
            let image = read_slice(&source);
            for header in read_headers(&source).into_iter().flatten() {
                // Frames of an object; a single image is read below.
                if header.source != source
                    && let Ok((_, slice)) = read_slice(&header.source)
                {
                    assert!(slice.hu().iter().all(|hu| hu.is_finite()));
                    accepted += 1;
                }
            }
            // Nobody decodes what the header reader refuses.
            assert!(header.is_ok() || image.is_err());
            if let Ok((header, slice)) = image {
                assert_eq!(slice.hu().len(), header.rows * header.columns);
                assert!(slice.hu().iter().all(|hu| hu.is_finite()));
                accepted += 1;
            }
            let found = collect(&[path], &|_, _| ());
            assert_eq!(found.studies.len() + found.skipped.len(), 1);
        }
    }
    accepted
}

#[test]
fn thousands_of_damaged_small_files() {
    let pixels: Vec<u16> = (0..12).map(|value| value * 5000).collect();
    let table = Raw::default().words(0x0028_3002, &[3, 5, 16]).words(0x0028_3006, &[1, 2, 4]);
    let image = Raw::image().items(0x0028_3000, &[table]);
    let originals = [
        image.file(),
        image.file_in(Encoding::ImplicitLittle, Front::Preamble),
        image.file_in(Encoding::ExplicitBig, Front::Nothing),
        deflated(&image),
        run_length(&image, &pixels),
        jpeg(&image, 3, 4, &pixels),
        enhanced().file(),
    ];
    let rounds = 600;
    let accepted = survive(&originals, rounds, 1);
    // Both outcomes happen: the damage is neither always fatal nor without effect.
    assert!((100..originals.len() * rounds - 100).contains(&accepted), "{accepted}");
}

#[test]
fn thousands_of_damaged_compressed_frames() {
    let originals: Vec<Vec<u8>> = CODED.iter().map(|coded| coded.file(&coded.frame())).collect();
    let rounds = 300;
    let accepted = survive(&originals, rounds, 3);
    assert!((100..originals.len() * rounds - 100).contains(&accepted), "{accepted}");
}

#[test]
fn damaged_real_compressed_files() {
    let Some(folder) = shared::folder("dicom-edge/transfer-syntaxes") else { return };
    let files = shared::dicom_files(&folder);
    let compressed = [
        "4.50.dcm",
        "4.51.dcm",
        "4.53.dcm",
        "4.55.dcm",
        "4.57.dcm",
        "4.70.dcm",
        "4.80.dcm",
        "4.81.dcm",
        "4.90.dcm",
        "4.91.dcm",
        "1.2.5.dcm",
    ];
    let is_compressed =
        |name: &str| name.contains("CTImage") && compressed.iter().any(|end| name.ends_with(end));
    let originals: Vec<Vec<u8>> = files
        .iter()
        .filter(|file| is_compressed(&file.to_string_lossy()))
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert_eq!(originals.len(), compressed.len());
    survive(&originals, 10, 2);
}
