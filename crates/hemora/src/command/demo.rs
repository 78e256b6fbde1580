//! `hemora demo`: two phantoms, one with bleeds, from their files to the report.

use hemora_base::ExitStatus;
use hemora_ct::Label;
use hemora_infer::{Triage, TriageInput};
use hemora_io::PixelStorage;
use hemora_report::write_all;
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, StudyIds, write_study};
use miette::{IntoDiagnostic, Result};

use super::triage::{exit_status, print_worklist, run_with_bars};
use crate::cli::DemoArgs;
use crate::default_model::load;
use crate::output::{make_folder, refuse_filled};

/// Runs the command.
///
/// # Errors
/// A report that names the file.
pub fn run(arguments: &DemoArgs) -> Result<ExitStatus> {
    arguments.engine.threads.limit()?;
    let folder = arguments.out.join("dicom");
    refuse_filled(&folder, "--out")?;
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
    let model = load(&arguments.engine)?;
    let output = run_with_bars(&Triage::new(&model), TriageInput::Paths(vec![folder]))?;
    write_all(&output, &arguments.out).into_diagnostic()?;
    print_worklist(&output.result, &arguments.out)?;
    Ok(exit_status(&output.result))
}
