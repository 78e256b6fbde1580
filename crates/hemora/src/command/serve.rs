//! `hemora serve`: a node, and what can be done with its data folder.

use std::path::Path;

use hemora_base::{ExitStatus, printable};
use hemora_ct::NOTICE;
use hemora_infer::LoadedModel;
use hemora_serve::config::{check_database, check_destinations};
use hemora_serve::{
    Config, LogFormat, Node, ToldToEnd, backup, forget, restore, start_log, verify_audit,
};
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::cli::{
    AuditCommand, BackupArgs, DataFolder, ForgetArgs, Log, RestoreArgs, ServeArgs, ServeCommand,
    ThreadArgs, VerifyArgs,
};
use crate::default_model;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names what cannot be used.
pub fn run(arguments: &ServeArgs) -> Result<ExitStatus> {
    match &arguments.command {
        Some(ServeCommand::Forget(it)) => return run_forget(it),
        Some(ServeCommand::Backup(it)) => return run_backup(it),
        Some(ServeCommand::Restore(it)) => return run_restore(it),
        Some(ServeCommand::Audit(AuditCommand::Verify(it))) => return run_verify(it),
        None => {}
    }
    if let Some(file) = &arguments.check {
        return check(file);
    }
    let config = of(&arguments.folder)?;
    ThreadArgs { threads: config.score.threads }.limit()?;
    start_log(match arguments.log {
        Log::Text => LogFormat::Text,
        Log::Json => LogFormat::Json,
    });
    let (model, engine) = (config.score.model.clone(), config.score.engine);
    let told_to_end = ToldToEnd::listen().into_diagnostic()?;
    let node = Node::start(config, move || {
        let model = default_model::open(model.as_deref()).map_err(|error| format!("{error:?}"))?;
        LoadedModel::load(engine, model, None).map_err(|error| error.to_string())
    });
    let node = node.into_diagnostic()?;
    print(|out| {
        writeln!(out, "DICOM: {} as {}", node.dicom(), node.ae_title())?;
        writeln!(out, "list:  {}/", node.pages().trim_end_matches('/'))?;
        writeln!(out, "{NOTICE}")?;
        let Some(link) = node.setup() else { return Ok(()) };
        writeln!(
            out,
            "\nThere are no users yet. Open this link once to make the first administrator:"
        )?;
        writeln!(out, "\n  {link}\n\nIt ends when it is used, and with the node.")
    })?;
    node.run(told_to_end).into_diagnostic()?;
    Ok(ExitStatus::Success)
}

fn read(config: Option<&Path>, data: Option<&Path>) -> Result<Config> {
    let mut config = config.map(Config::read).transpose().into_diagnostic()?.unwrap_or_default();
    if let Some(data) = data {
        data.clone_into(&mut config.node.data);
    }
    Ok(config)
}

fn check(file: &Path) -> Result<ExitStatus> {
    let config = Config::read(file).into_diagnostic()?;
    let mut called: Vec<_> = check_database(&config).into_iter().collect();
    called.extend(check_destinations(&config));
    print(|out| {
        writeln!(out, "{}", config.resolved())?;
        for call in &called {
            let came = call.problem.as_deref().map_or_else(|| "answers".to_owned(), printable);
            writeln!(out, "# {}: {}: {came}", call.name, call.call)?;
        }
        Ok(())
    })?;
    match called.iter().all(|call| call.problem.is_none()) {
        true => Ok(ExitStatus::Success),
        false => Ok(ExitStatus::SomeInputsFailed),
    }
}

fn of(folder: &DataFolder) -> Result<Config> {
    read(folder.config.as_deref(), folder.data.as_deref())
}

fn run_forget(arguments: &ForgetArgs) -> Result<ExitStatus> {
    let user = || std::env::var("USER").unwrap_or_else(|_| "command line".to_owned());
    let who = arguments.who.clone().unwrap_or_else(user);
    let config = of(&arguments.folder)?;
    let forgotten = forget(&config, &arguments.patient, &who).into_diagnostic()?;
    print(|out| {
        writeln!(out, "removed {} studies, {} images", forgotten.studies, forgotten.instances)
    })?;
    Ok(ExitStatus::Success)
}

fn run_backup(arguments: &BackupArgs) -> Result<ExitStatus> {
    let config = of(&arguments.folder)?;
    let done = backup(&config, &arguments.out, arguments.images).into_diagnostic()?;
    print(|out| {
        writeln!(out, "backup: {}", arguments.out.display())?;
        let Some(database) = &done.database_left else { return Ok(()) };
        writeln!(
            out,
            "not in it: the database {database}, which is backed up by `pg_dump`, before the images"
        )
    })?;
    Ok(ExitStatus::Success)
}

fn run_verify(arguments: &VerifyArgs) -> Result<ExitStatus> {
    let rows = verify_audit(&of(&arguments.folder)?).into_diagnostic()?;
    print(|out| writeln!(out, "audit: {rows} rows, each as it was written"))?;
    Ok(ExitStatus::Success)
}

fn run_restore(arguments: &RestoreArgs) -> Result<ExitStatus> {
    let config = of(&arguments.folder)?;
    let context = || format!("cannot restore {}", arguments.backup.display());
    let restored = restore(&config, &arguments.backup).into_diagnostic().wrap_err_with(context)?;
    print(|out| {
        let folder = config.node.data.display();
        writeln!(out, "data folder: {folder}, {} images", restored.images)?;
        for missing in &restored.missing {
            writeln!(out, "not in the backup: {}", missing.display())?;
        }
        Ok(())
    })?;
    match restored.missing.is_empty() {
        true => Ok(ExitStatus::Success),
        false => Ok(ExitStatus::SomeInputsFailed),
    }
}
