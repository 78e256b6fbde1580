//! `hemora demo`: two phantoms, one with bleeds, through the whole road.

use std::process::ExitCode;

use hemora_ct::Label;
use hemora_io::PixelStorage;
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, StudyIds, write_study};
use miette::{IntoDiagnostic, Result};

use crate::cli::{DemoArgs, EngineArgs, TriageArgs};
use crate::command::triage;
use crate::output::make_folder;

/// Runs the command.
///
/// # Errors
/// A report that names the file.
pub fn run(arguments: &DemoArgs) -> Result<ExitCode> {
    triage::limit_threads(arguments.engine.threads)?;
    let folder = arguments.out.join("dicom");
    triage::refuse_filled(&folder)?;
    let phantoms = [
        ("with-bleeds", Bleeds::These(vec![Label::Intraparenchymal, Label::Subdural])),
        ("without", Bleeds::none()),
    ];
    for (index, (name, bleeds)) in phantoms.into_iter().enumerate() {
        eprintln!("making the phantom {name}");
        let seed = arguments.seed + index as u64;
        let options = PhantomOptions { bleeds, ..PhantomOptions::default() };
        let study = HeadPhantom::new(seed, options).into_diagnostic()?.render();
        let ids = StudyIds::from_seed(seed, study.slices.len());
        let storage = PixelStorage::Unsigned12 { intercept: -1024 };
        let path = folder.join(name);
        make_folder(&path)?;
        write_study(&path, &study, &ids, storage).into_diagnostic()?;
    }
    triage::run(&TriageArgs {
        paths: vec![folder],
        window: None,
        out: arguments.out.clone(),
        all_series: false,
        json: false,
        key_slices: 3,
        pictured_studies: 2,
        timings: None,
        // The threads are limited already, and that can be done only once.
        engine: EngineArgs { threads: 0, ..arguments.engine.clone() },
    })
}
