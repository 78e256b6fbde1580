//! One meaning for each flag over all commands, written down in `docs/flags.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Cli;

/// Flags whose text differs from command to command, and why that is no second meaning.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("epochs", "passes over the training images; the study may set them for one network"),
    ("folds", "the number of folds; the presets of a recipe have one of their own"),
    ("groups", "which slices belong together; the study also takes tables without columns"),
    ("images", "images of the slices; the study needs a whole set"),
    (
        "index",
        "an index of `hemora index`: of predictions that are evaluated, or of studies to score",
    ),
    ("labels", "label tables; `evaluate` also reads tables with a column for each label"),
    ("method", "how it is fitted: a calibration, or an ensemble"),
    ("model", "a bundle; `evaluate` also takes `default`"),
    ("negatives", "slices without hemorrhage; the study takes a number alone"),
    ("out", "names what the command writes"),
    ("preset", "the settings to start from"),
    ("rule", "how a threshold is chosen; on the evaluated cases only with --tune-on-test"),
];

/// What a flag is in some commands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Meaning {
    value: String,
    help: String,
}

/// The flags by name; of each its meanings, and the commands that have it so.
type Flags = BTreeMap<String, BTreeMap<Meaning, BTreeSet<String>>>;

/// The commands that do something, by their names without the program's.
fn leaves(command: &Command, name: &str, into: &mut Vec<(String, Command)>) {
    let runs = !command.is_subcommand_required_set();
    if runs && !name.is_empty() {
        into.push((name.to_owned(), command.clone()));
    }
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        leaves(child, format!("{name} {}", child.get_name()).trim(), into);
    }
}

fn commands() -> Vec<(String, Command)> {
    let mut all = Vec::new();
    let mut command = Cli::command();
    command.build();
    leaves(&command, "", &mut all);
    all
}

fn flags() -> Flags {
    let mut flags = Flags::new();
    for (name, command) in commands() {
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long().filter(|long| *long != "help") else { continue };
            let meanings = flags.entry(long.to_owned()).or_default();
            meanings.entry(meaning(argument)).or_default().insert(name.clone());
        }
    }
    flags
}

fn meaning(argument: &Arg) -> Meaning {
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    // Defaults may differ: they are no part of the meaning.
    let help = help.split(" [default:").next().unwrap_or_default().to_owned();
    Meaning { value: if takes_value { names.join(" ") } else { String::new() }, help }
}

/// `docs/flags.md`.
fn table() -> String {
    let mut text = String::from(
        "# The flags of `hemora`\n\n\
         A flag means the same in every command that has it; those with several rows are explained \
         below. A test makes this table from the \
         definitions: `HEMORA_BLESS=1 cargo test -p hemora` writes it anew. `hemora COMMAND --help` \
         also gives defaults; `hemora train` passes its flags on to `hemora-train`.\n\n\
         | flag | value | meaning | commands |\n|---|---|---|---|\n",
    );
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ");
    for (flag, meanings) in flags() {
        for (Meaning { value, help }, commands) in meanings {
            let commands = commands.into_iter().collect::<Vec<_>>().join(", ");
            let (value, help) = (cell(&value), cell(&help));
            let value = if value.is_empty() { value } else { format!("`{value}`") };
            let _ = writeln!(text, "| `--{flag}` | {value} | {help} | {commands} |");
        }
    }
    text.push_str("\nFlags with several rows:\n\n");
    for (flag, reason) in EXCEPTIONS {
        let _ = writeln!(text, "- `--{flag}`: {reason}");
    }
    text
}

#[test]
fn a_flag_has_one_meaning_over_all_commands() {
    let mut several = String::new();
    for (flag, meanings) in flags() {
        let excepted = EXCEPTIONS.iter().any(|(name, reason)| *name == flag && !reason.is_empty());
        if meanings.len() > 1 && !excepted {
            let _ = writeln!(several, "--{flag}:");
            for (Meaning { value, help }, commands) in meanings {
                let _ = writeln!(several, "  {value:?} {help:?} in {commands:?}");
            }
        }
    }
    for (name, _) in EXCEPTIONS {
        let meanings = flags().get(*name).map_or(0, BTreeMap::len);
        assert!(meanings > 1, "--{name} needs no exception");
    }
    assert!(
        several.is_empty(),
        "give these flags one value name and one text, or declare why not in EXCEPTIONS:\n{several}"
    );
}

#[test]
fn the_table_of_flags_is_that_of_the_definitions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flags.md");
    let made = table();
    if std::env::var_os("HEMORA_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == made,
        "docs/flags.md is stale: HEMORA_BLESS=1 cargo test -p hemora writes it"
    );
}

#[test]
fn the_definitions_hold() {
    Cli::command().debug_assert();
}

#[test]
fn the_help_is_as_in_the_snapshots() {
    let snapshots = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
    insta::with_settings!({ snapshot_path => snapshots, prepend_module_to_snapshot => false }, {
        for (name, command) in commands() {
            let help = command.term_width(100).render_long_help().to_string();
            let name = format!("help-{}", name.replace(' ', "-"));
            insta::assert_snapshot!(name, help);
        }
    });
}
