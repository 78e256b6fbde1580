//! `hemora prepare`: an index to a set that networks train on.

use std::ops::ControlFlow;
use std::process::ExitCode;

use hemora_ct::Label;
use hemora_data::{
    IndexReader, Negatives, PrepareRecipe, PrepareReport, Selection, SplitBy, SplitInto, SplitRule,
    prepare,
};
use miette::{IntoDiagnostic, Result, miette};

use super::triage::limit_threads;
use crate::cli::{PrepareArgs, SplitRuleArgs};
use crate::output::print;
use crate::progress;

/// Slices failed, the rest was prepared.
const SOME_FAILED: u8 = 3;
/// Part of the images for validation, and for the test.
const DEFAULT_PART: f64 = 0.15;

/// Runs the command.
///
/// # Errors
/// A report that names the file or the flag.
pub fn run(arguments: &PrepareArgs) -> Result<ExitCode> {
    limit_threads(arguments.threads)?;
    let recipe = PrepareRecipe::open(&arguments.recipe).into_diagnostic()?;
    let dealt = split_rule(&arguments.rule, arguments.seed);
    let asked = asks(&arguments.rule);
    let rows = IndexReader::open(&arguments.index).into_diagnostic()?;
    let rule = rows.split_rule().filter(|_| !asked).copied();
    drop(rows);
    let selection = Selection {
        min_types: arguments.min_types,
        negatives: negatives(&arguments.negatives)?,
        split: if rule.is_some() { SplitInto::Stored } else { dealt.into },
        split_by: rule.unwrap_or(dealt).by,
        seed: arguments.seed,
    };
    let bar = progress::bar("preparing");
    let moves = progress::moves(&bar);
    let go_on = |done, total| {
        moves(done, total);
        ControlFlow::Continue(())
    };
    let report =
        prepare(&arguments.index, &arguments.out, &recipe, &selection, &go_on).into_diagnostic()?;
    bar.finish_and_clear();
    print(|output| summary(output, arguments, &report))?;
    Ok(ExitCode::from(if report.skipped.is_empty() { 0 } else { SOME_FAILED }))
}

fn summary(
    output: &mut dyn std::io::Write,
    arguments: &PrepareArgs,
    report: &PrepareReport,
) -> std::io::Result<()> {
    writeln!(output, "{}: {} slices", arguments.out.display(), report.slices)?;
    for label in Label::ALL {
        writeln!(output, "  {label:<18}{:>8}", report.positives[label.index()])?;
    }
    for (part, count) in &report.parts {
        writeln!(output, "  part {part:<13}{count:>8}")?;
    }
    writeln!(
        output,
        "left out: {} slices with too little brain, {} without labels, {} that cannot be read \
         (skipped.csv)",
        report.too_little_brain,
        report.unlabelled,
        report.skipped.len()
    )
}

/// The split that flags ask for.
pub(super) fn split_rule(arguments: &SplitRuleArgs, seed: u64) -> SplitRule {
    let SplitRuleArgs { validation, test, folds, split_by } = arguments;
    let part = |given: &Option<f64>| given.unwrap_or(DEFAULT_PART);
    SplitRule {
        into: match *folds {
            Some(folds) => SplitInto::Folds(folds),
            None => SplitInto::Parts { validation: part(validation), test: part(test) },
        },
        by: match split_by.as_deref() {
            Some("image") => SplitBy::Image,
            _ => SplitBy::Patient,
        },
        seed,
    }
}

/// Whether flags ask for a split.
fn asks(SplitRuleArgs { validation, test, folds, split_by }: &SplitRuleArgs) -> bool {
    validation.is_some() || test.is_some() || folds.is_some() || split_by.is_some()
}

/// `all`, a number, or a number for each positive slice.
fn negatives(text: &str) -> Result<Negatives> {
    if text == "all" {
        return Ok(Negatives::All);
    }
    let parsed = match text.strip_suffix('x') {
        Some(ratio) => ratio.parse().ok().map(Negatives::Ratio),
        None => text.parse().ok().map(Negatives::Count),
    };
    parsed.ok_or_else(|| {
        miette!(
            help = "such as `all`, `20000`, or `1.5x` for 1.5 slices for each positive one",
            "--negatives {text}: neither a number nor a ratio"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negatives_are_a_number_or_a_ratio() {
        assert_eq!(negatives("all").unwrap(), Negatives::All);
        assert_eq!(negatives("20000").unwrap(), Negatives::Count(20000));
        assert_eq!(negatives("1.5x").unwrap(), Negatives::Ratio(1.5));
        assert!(negatives("1.5").is_err() && negatives("many").is_err());
    }
}
