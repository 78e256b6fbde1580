//! `hemora index`: a data set to one table, and its counts.

use std::io::Write;
use std::path::Path;

use hemora_base::{ExitStatus, printable};
use hemora_data::{
    IndexReport, LabelJoin, SetStats, SplitBy, build_index, index_share, store_split,
};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

use crate::cli::{IndexArgs, IndexCommand, SplitArgs, StatsArgs};
use crate::input::Input;
use crate::output::{print, write_whole};
use crate::progress;

/// Names that are printed of each kind of problem.
const PRINTED: usize = 5;

/// Runs the command.
///
/// # Errors
/// A report that names the file.
pub fn run(arguments: &IndexArgs) -> Result<ExitStatus> {
    match &arguments.command {
        Some(IndexCommand::Stats(arguments)) => return stats(arguments),
        Some(IndexCommand::Split(arguments)) => return split(arguments),
        None => {}
    }
    let Some(out) = &arguments.out else { bail!("no --out") };
    arguments.threads.limit()?;
    let bar = progress::bar("indexing");
    let moves = progress::moves(&bar);
    let IndexArgs { paths, labels, .. } = arguments;
    let report = match arguments.shard.shard {
        Some(share) => index_share(paths, labels, share, out, &moves),
        None => build_index(paths, labels, out, &moves),
    };
    let report = report.into_diagnostic()?;
    bar.finish_and_clear();
    let problems = problems(&report);
    write_problems(arguments.problems.as_deref(), &problems)?;
    let what = match arguments.shard.shard {
        Some(share) => format!("{}, share {share}", out.display()),
        None => out.display().to_string(),
    };
    print(|output| summary(output, &what, &report, &problems))?;
    Ok(status(&report))
}

/// How a command ends that made an index.
pub(super) fn status(report: &IndexReport) -> ExitStatus {
    match report.failed {
        0 => ExitStatus::Success,
        _ => ExitStatus::SomeInputsFailed,
    }
}

/// Names of what is wrong, by kind.
pub(super) type Problems = Vec<(String, Vec<String>)>;

/// Writes all problems to the file that was asked for.
pub(super) fn write_problems(path: Option<&Path>, problems: &Problems) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    write_whole(path, |file| {
        problems.iter().try_for_each(|(kind, names)| {
            names.iter().try_for_each(|name| writeln!(file, "{kind}: {name}"))
        })
    })
}

/// Prints what an index holds; `what` is what it is called.
pub(super) fn summary(
    output: &mut dyn Write,
    what: &str,
    report: &IndexReport,
    problems: &Problems,
) -> std::io::Result<()> {
    writeln!(
        output,
        "{what}: {} images ({} read, {} unchanged, {} only touched); {} cannot be used, {} other files",
        report.slices,
        report.read,
        report.unchanged,
        report.same_content,
        report.failed,
        report.other_files
    )?;
    if report.gone > 0 {
        writeln!(output, "{} images of the earlier index are not there any more", report.gone)?;
    }
    if report.repeated_ids > 0 {
        let count = report.repeated_ids;
        writeln!(output, "{count} images have an id that another has; sets leave them out")?;
    }
    if report.without_series > 0 {
        let count = report.without_series;
        writeln!(
            output,
            "{count} images have no SeriesInstanceUID; those of one study, patient and folder count \
             as a series"
        )?;
    }
    for LabelJoin { path, used, report, .. } in &report.labels {
        let rows = (report.rows, report.duplicate_rows);
        writeln!(
            output,
            "{}: labels of {used} images; {} rows, {} of them duplicates",
            path.display(),
            rows.0,
            rows.1
        )?;
    }
    if !report.labels.is_empty() && report.unlabelled > 0 {
        writeln!(output, "{} images have no labels", report.unlabelled)?;
    }
    for (kind, names) in problems.iter().filter(|(_, names)| !names.is_empty()) {
        writeln!(output, "{kind}: {}", names.len())?;
        for name in names.iter().take(PRINTED) {
            writeln!(output, "  {name}")?;
        }
        if names.len() > PRINTED {
            writeln!(output, "  and {} more (--problems FILE names all)", names.len() - PRINTED)?;
        }
    }
    Ok(())
}

/// What is wrong, by kind.
pub(super) fn problems(report: &IndexReport) -> Problems {
    let mut problems = vec![("cannot be used".to_owned(), all_printable(&report.failures))];
    for LabelJoin { path, report, without_image, .. } in &report.labels {
        let incomplete: Vec<String> = report.incomplete.iter().map(|row| row.id.clone()).collect();
        for (kind, names) in [
            ("labels without an image", without_image),
            ("images labelled twice", &report.duplicated),
            ("images with contradicting labels", &report.conflicting),
            ("images without all six labels", &incomplete),
            ("images whose `any` is not what their types say", &report.inconsistent),
        ] {
            problems.push((format!("{}: {kind}", path.display()), all_printable(names)));
        }
    }
    problems
}

fn all_printable(names: &[String]) -> Vec<String> {
    names.iter().map(|name| printable(name)).collect()
}

/// `hemora index split`.
fn split(arguments: &SplitArgs) -> Result<ExitStatus> {
    let index = &arguments.index;
    let rule = arguments.rule.rule(arguments.seed);
    let report = store_split(index, &rule).into_diagnostic()?;
    print(|output| {
        let by = if rule.by == SplitBy::Image { "image" } else { "patient" };
        writeln!(output, "{}: split by {by}, seed {}", index.display(), rule.seed)?;
        for (part, count) in &report.parts {
            writeln!(output, "  {part:<18}{count:>8}")?;
        }
        if report.unlabelled > 0 {
            writeln!(output, "{} images without labels are in no part", report.unlabelled)?;
        }
        if report.repeated_ids > 0 {
            let count = report.repeated_ids;
            writeln!(output, "{count} images with an id that another has are in no part")?;
        }
        if report.without_patient > 0 && rule.by == SplitBy::Patient {
            let count = report.without_patient;
            writeln!(
                output,
                "{count} images have no PatientID: their studies stay together, but two studies of \
                 one patient may stand on both sides"
            )?;
        }
        if report.pictures.images > 0 && rule.by == SplitBy::Patient {
            writeln!(output, "{}", report.pictures)?;
        }
        if report.alike > 0 {
            let count = report.alike;
            writeln!(
                output,
                "{count} images look alike an image of another patient; if they are of one person, \
                 figures are too good"
            )?;
        }
        Ok(())
    })?;
    Ok(ExitStatus::Success)
}

/// `hemora index stats`.
fn stats(arguments: &StatsArgs) -> Result<ExitStatus> {
    let set = &arguments.set;
    let extension = set.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    let stats = match extension.as_deref() {
        Some("csv") => SetStats::of_table(set).into_diagnostic()?,
        Some("parquet") => {
            let index = Input::fetch(set)?;
            index.named(SetStats::of_index(index.path()).into_diagnostic())?
        }
        _ => {
            return Err(miette!(
                help = "give an index that ends in .parquet or a label table that ends in .csv",
                "{}: neither an index nor a label table",
                set.display()
            ));
        }
    };
    if let Some(path) = &arguments.page {
        let title = set.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let page = stats.page(&title);
        write_whole(path, |file| file.write_all(page.as_bytes()))
            .wrap_err("cannot draw the counts")?;
    }
    print(|output| write!(output, "{stats}"))?;
    Ok(ExitStatus::Success)
}
