//! The config file: TOML with the flags' names, read under the flags and written with all defaults.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, Parser};

use super::{ConfigError, RunConfig};

/// Flags that make up the settings of a run.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Settings to start from, TOML: keys are the flags' names with underscores. Flags that are
    /// given go before it. `hemora-train config` prints one with every default. `winner` is that of
    /// the competition's winner, `fast` that of one small network.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The settings.
    #[command(flatten)]
    pub run: RunConfig,
}

/// Settings that come with the program, by name.
const BUILT_IN: [(&str, &str); 2] = [
    ("winner", include_str!("../../presets/winner.toml")),
    ("fast", include_str!("../../presets/fast.toml")),
];

impl Settings {
    /// The flags that were given, over the file, over the defaults. `matches` are those that these
    /// settings were parsed from.
    ///
    /// # Errors
    /// [`ConfigError`] if the file cannot be read, has an unknown key or a value of another type.
    pub fn resolve(self, matches: &ArgMatches) -> Result<RunConfig, ConfigError> {
        let Some(path) = self.config else { return Ok(self.run) };
        let built_in = BUILT_IN.iter().find(|(name, _)| path.as_os_str() == *name);
        let text = match built_in {
            Some((_, text)) => (*text).to_owned(),
            None => std::fs::read_to_string(&path)
                .map_err(|source| ConfigError::Io { path: path.clone(), source })?,
        };
        let given = |name: &str| {
            matches.value_source(name).is_some_and(|source| source != ValueSource::DefaultValue)
        };
        merge(&text, self.run, given)
            .map_err(|source| ConfigError::Toml { path, source: Box::new(source) })
    }
}

/// `flags` where `given` says so, and else what `text` says.
fn merge(
    text: &str,
    flags: RunConfig,
    given: impl Fn(&str) -> bool,
) -> Result<RunConfig, toml::de::Error> {
    // The text alone first: its errors then name the line.
    toml::from_str::<RunConfig>(text)?;
    let mut merged: toml::Table = toml::from_str(text)?;
    let (restart, progress) = (flags.restart, flags.progress);
    for (key, value) in table(&flags) {
        if given(&key) {
            merged.insert(key, value);
        }
    }
    Ok(RunConfig { restart, progress, ..merged.try_into()? })
}

fn table(config: &RunConfig) -> toml::Table {
    toml::Table::try_from(config).expect("settings are numbers, texts and lists of them")
}

/// Settings that make no other run: where it is written, and how fast it is.
pub(crate) const NOT_OF_A_RUN: [&str; 2] = ["out", "threads"];

/// Names of the settings in which two runs differ, but for `NOT_OF_A_RUN`.
pub fn differences(one: &RunConfig, other: &RunConfig) -> Vec<String> {
    let (mut one, mut other) = (table(&one.resolved()), table(&other.resolved()));
    let mut names: Vec<String> = one.keys().chain(other.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| {
        !NOT_OF_A_RUN.contains(&name.as_str()) && one.remove(name) != other.remove(name)
    });
    names
}

/// A config file with every setting and what it means; those without a value stand as comments.
pub fn commented(config: &RunConfig) -> String {
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        _config: RunConfig,
    }
    let values = table(config);
    let mut text = String::from("# Settings of hemora-train; flags go before them.\n");
    for flag in Flags::command().get_arguments() {
        let name = flag.get_id().as_str();
        // What is no setting of the run, such as --restart, is no key either.
        if ["restart", "progress", "help"].contains(&name) {
            continue;
        }
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let possible: Vec<String> =
            flag.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        text.push('\n');
        for line in help.lines() {
            text.push_str(&format!("# {line}\n"));
        }
        if !possible.is_empty() && possible != ["true", "false"] {
            text.push_str(&format!("# One of: {}\n", possible.join(", ")));
        }
        match values.get(name) {
            Some(value) => text.push_str(&format!("{name} = {value}\n")),
            None => text.push_str(&format!("# {name} =\n")),
        }
    }
    text
}

/// Reads a config file that an earlier run wrote.
///
/// # Errors
/// [`ConfigError`] if it cannot be read.
pub fn read(path: &Path) -> Result<RunConfig, ConfigError> {
    let io = |source| ConfigError::Io { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(io)?;
    let wrong = |source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) };
    toml::from_str(&text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::RunPlan;
    use super::*;

    #[test]
    fn flags_go_before_the_file_and_the_file_before_defaults() {
        let flags = RunConfig { batch: 4, epochs: 7, ..RunConfig::default() };
        let text = "batch = 16\nsize = 64\noptimizer = \"sgd\"";
        let merged = merge(text, flags, |name| name == "batch").unwrap();
        assert_eq!((merged.batch, merged.size, merged.epochs), (4, 64, 12));
        assert_eq!(merged.optimizer, crate::optim::Preset::Sgd);
    }

    #[test]
    fn built_in_settings_are_settings() {
        for (name, text) in BUILT_IN {
            let config = merge(text, RunConfig::default(), |_| false).unwrap();
            let config = RunConfig {
                images: Some("images".into()),
                labels: Some("labels".into()),
                out: Some("run".into()),
                folds: Some(5),
                ..config
            };
            let plan = RunPlan::from_config(&config).unwrap();
            let first = plan.first();
            let channels = first.data.input.recipe.channels.len();
            assert_eq!(channels, if config.input.as_deref() == Some("both") { 9 } else { 3 });
            assert!(first.model.slices.graph(channels).is_ok(), "{name}");
            assert!(first.optim.augment.is_some(), "{name}");
        }
        // The winner's, from the record (docs/references.md#winner).
        let winner = merge(BUILT_IN[0].1, RunConfig::default(), |_| false).unwrap();
        assert_eq!((winner.learning_rate, winner.weight_decay), (Some(5e-4), Some(2e-5)));
        assert_eq!((winner.hold, winner.schedule), (10, crate::optim::ScheduleName::Cosine));
        assert_eq!((winner.size, winner.augment.as_str()), (256, "winner"));
    }

    #[test]
    fn an_unknown_key_and_a_wrong_type_are_named_with_their_line() {
        let error = |text| merge(text, RunConfig::default(), |_| false).unwrap_err().to_string();
        let unknown = error("batch = 16\nepocs = 3");
        assert!(unknown.contains("line 2") && unknown.contains("`epocs`"), "{unknown}");
        let wrong = error("batch = \"many\"");
        assert!(wrong.contains("line 1") && wrong.contains("batch"), "{wrong}");
    }

    #[test]
    fn what_is_printed_is_read_back_as_the_same_settings() {
        let config = RunConfig {
            batch: 3,
            learning_rate: Some(0.5),
            extra: vec!["a:b".to_owned()],
            ..RunConfig::default()
        };
        let text = commented(&config);
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config, "{text}");
        assert!(text.contains("# weight_decay =\n"), "{text}");
        // Every key of the settings is there.
        for key in table(&config.resolved()).keys() {
            assert!(text.contains(&format!("{key} =")), "{key} is missing");
        }
    }

    #[test]
    fn differences_are_named_and_folder_and_threads_are_none() {
        let one = RunConfig { out: Some("a".into()), ..RunConfig::default() };
        let mut other = RunConfig { out: Some("b".into()), ..RunConfig::default() };
        assert_eq!(differences(&one, &other), [""; 0]);
        // The default that is written out is the default that is not.
        other.learning_rate = Some(other.optimizer.options().learning_rate);
        assert_eq!(differences(&one, &other), [""; 0]);
        // As is what is turned off and what is not there.
        (other.patience, other.folds) = (Some(0), Some(0));
        assert_eq!(differences(&one, &other), [""; 0]);
        // A run gives the same with any number of threads.
        other.threads = Some(3);
        assert_eq!(differences(&one, &other), [""; 0]);
        other.seed = 9;
        assert_eq!(differences(&one, &other), ["seed"]);
    }
}
