//! Real slices, encoded by DCMTK in each of its transfer syntaxes, have pydicom's HU.

use std::path::{Path, PathBuf};
use std::process::Command;

use hemora_io::{Source, read_header};

use crate::peers::{largest_difference, pydicom};
use crate::shared;

/// A program of DCMTK, its options, and how far its HU may be from those of the truth, in steps of
/// stored values.
struct Encoder {
    program: &'static str,
    options: &'static [&'static str],
    /// What decodes the file for pydicom where the encoding loses something; nothing where it does
    /// not, and the HU are those of the file as it was.
    decoder: Option<&'static str>,
}

const fn lossless(program: &'static str, options: &'static [&'static str]) -> Encoder {
    Encoder { program, options, decoder: None }
}

const fn lossy(
    program: &'static str,
    options: &'static [&'static str],
    decoder: &'static str,
) -> Encoder {
    Encoder { program, options, decoder: Some(decoder) }
}

const ENCODERS: [Encoder; 13] = [
    lossless("dcmconv", &["+ti"]),
    lossless("dcmconv", &["+te"]),
    lossless("dcmconv", &["+tb"]),
    lossless("dcmconv", &["+td"]),
    lossless("dcmcrle", &[]),
    lossless("dcmcjpeg", &["+e1"]),
    lossless("dcmcjpeg", &["+el"]),
    lossless("dcmcjpls", &["+el"]),
    lossy("dcmcjpls", &["+en", "+md", "3"], "dcmdjpls"),
    lossy("dcmcjpeg", &["+eb"], "dcmdjpeg"),
    lossy("dcmcjpeg", &["+ee"], "dcmdjpeg"),
    lossy("dcmcjpeg", &["+es"], "dcmdjpeg"),
    lossy("dcmcjpeg", &["+ep"], "dcmdjpeg"),
];

/// How many slices are encoded.
const SLICES: usize = 60;

#[test]
fn slices_in_every_syntax_of_dcmtk_have_the_hu_of_pydicom() {
    let Some(python) = shared::python() else { return };
    let Some(sample) = shared::folder("rsna-sample/dicom") else { return };
    let programs = ["dcmconv", "dcmcrle", "dcmcjpeg", "dcmcjpls", "dcmdjpeg", "dcmdjpls"];
    if programs.iter().any(|it| hemora_testing::program(it, "apt install dcmtk").is_none()) {
        return;
    }
    let all = shared::dicom_files(&sample);
    let files: Vec<PathBuf> =
        all.iter().step_by(all.len() / SLICES).take(SLICES).cloned().collect();
    assert_eq!(files.len(), SLICES);
    let originals = pydicom(&python, &files);
    let folder = tempfile::tempdir().unwrap();
    let run = |program: &str, options: &[&str], from: &Path, to: &Path| {
        let output = Command::new(program).args(options).arg(from).arg(to).output().unwrap();
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {options:?} {}: {messages}", from.display());
    };
    for encoder in ENCODERS {
        let (mut encoded, mut decoded) = (Vec::new(), Vec::new());
        let near_lossless = encoder.options.contains(&"+en");
        for (index, file) in files.iter().enumerate() {
            // DCMTK encodes signed values without loss only.
            if near_lossless && read_header(&Source::File(file.clone())).unwrap().stored.signed {
                continue;
            }
            let path = folder.path().join(format!("{index}.dcm"));
            run(encoder.program, encoder.options, file, &path);
            if let Some(decoder) = encoder.decoder {
                let plain = folder.path().join(format!("{index}.plain.dcm"));
                run(decoder, &[], &path, &plain);
                decoded.push(plain);
            }
            encoded.push((path, file));
        }
        assert!(encoded.len() > SLICES / 4, "{:?}: {} slices", encoder.options, encoded.len());
        let truths = match encoder.decoder {
            Some(_) => pydicom(&python, &decoded),
            None => originals.clone(),
        };
        for ((path, file), truth) in encoded.iter().zip(truths) {
            let truth = truth.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let (difference, slope) = largest_difference(path, &truth);
            // Two decoders of the discrete cosine transform may each round a stored value.
            let is_transform = encoder.decoder == Some("dcmdjpeg");
            let allowed = if is_transform { 2.0 * slope + 1e-3 } else { 0.0 };
            let Encoder { program, options, .. } = encoder;
            let name = file.display();
            assert!(difference <= allowed, "{program} {options:?} {name}: {difference} HU");
        }
    }
}
