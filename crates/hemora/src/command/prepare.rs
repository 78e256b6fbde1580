//! `hemora prepare`: an index to a set that networks train on.

use std::ops::ControlFlow;

use hemora_base::ExitStatus;
use hemora_ct::Label;
use hemora_data::{
    IndexReader, PrepareRecipe, PrepareReport, Selection, SplitInto, prepare, prepare_share,
};
use miette::{IntoDiagnostic, Result};

use crate::cli::PrepareArgs;
use crate::input::Input;
use crate::output::print;
use crate::progress;

/// Runs the command.
///
/// # Errors
/// A report that names the file or the flag.
pub fn run(arguments: &PrepareArgs) -> Result<ExitStatus> {
    arguments.threads.limit()?;
    let recipe = PrepareRecipe::open(&arguments.recipe).into_diagnostic()?;
    let by_flags = arguments.rule.rule(arguments.seed);
    let index = Input::fetch(&arguments.index)?;
    let reader = index.named(IndexReader::open(index.path()).into_diagnostic())?;
    let stored = reader.split_rule().filter(|_| arguments.rule.is_empty()).copied();
    drop(reader);
    let selection = Selection {
        min_types: arguments.min_types,
        negatives: arguments.negatives,
        split: if stored.is_some() { SplitInto::Stored } else { by_flags.into },
        split_by: stored.unwrap_or(by_flags).by,
        seed: arguments.seed,
    };
    let bar = progress::bar("preparing");
    let moves = progress::moves(&bar);
    let go_on = |done, total| {
        moves(done, total);
        ControlFlow::Continue(())
    };
    let (from, out) = (index.path(), &arguments.out);
    let report = match arguments.shard.shard {
        Some(share) => prepare_share(from, out, &recipe, &selection, share, &go_on),
        None => prepare(from, out, &recipe, &selection, &go_on),
    };
    let report = report.into_diagnostic()?;
    bar.finish_and_clear();
    print(|output| summary(output, arguments, &report))?;
    Ok(match report.skipped.is_empty() {
        true => ExitStatus::Success,
        false => ExitStatus::SomeInputsFailed,
    })
}

fn summary(
    output: &mut dyn std::io::Write,
    arguments: &PrepareArgs,
    report: &PrepareReport,
) -> std::io::Result<()> {
    let share = arguments.shard.shard.map(|share| format!(", share {share}")).unwrap_or_default();
    writeln!(output, "{}{share}: {} slices", arguments.out.display(), report.slices)?;
    for label in Label::ALL {
        writeln!(output, "  {label:<18}{:>8}", report.positives[label.index()])?;
    }
    for (part, count) in &report.parts {
        writeln!(output, "  part {part:<13}{count:>8}")?;
    }
    if report.pictures.images > 0 {
        writeln!(output, "{}", report.pictures)?;
    }
    writeln!(
        output,
        "left out: {} slices with too little brain, {} without labels, {} with an id that another \
         image has, {} that cannot be read (skipped.csv names the last two)",
        report.too_little_brain,
        report.unlabelled,
        report.repeated_ids,
        report.skipped.len()
    )?;
    match share.is_empty() {
        true => Ok(()),
        false => {
            writeln!(output, "when all shares are done, the same without --shard writes the tables")
        }
    }
}
