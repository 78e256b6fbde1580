//! Which of a job's processes this one is, as the launcher's environment variables say.

use std::env::VarError;

/// Who started the ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launcher {
    /// `torchrun`, which keeps the store itself.
    Torchrun,
    /// Somebody who set the same variables; rank 0 keeps the store.
    Variables,
    /// `srun` of Slurm; rank 0 keeps the store.
    Slurm,
}

/// A process among those of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRank {
    /// This process, from 0.
    pub rank: usize,
    /// Number of processes, at least 1.
    pub world: usize,
    /// This process among those of its machine, from 0: the number of its GPU.
    pub local_rank: usize,
    /// Number of processes of this machine.
    pub local_world: usize,
    /// Host of the store.
    pub host: String,
    /// Port of the store.
    pub port: u16,
    /// Who started the ranks.
    pub launcher: Launcher,
    /// How often `torchrun` has started the job again: a new start must not read old keys.
    pub attempt: u64,
}

/// Why the variables name no process of a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// Some of the variables are set and this one is not.
    #[error(
        "{set} is set and {missing} is not: start the ranks with torchrun, which sets both, or \
         set MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE"
    )]
    Missing {
        /// A variable that is there.
        set: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A value that is not usable.
    #[error("{name}=`{value}`: expected {expected}")]
    Value {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
}

impl ProcessRank {
    /// This process as its environment names it; `None` for a process on its own.
    ///
    /// # Errors
    /// [`LaunchError`] if the variables are not all there or make no sense.
    pub fn from_environment() -> Result<Option<Self>, LaunchError> {
        Self::from_variables(&|name| match std::env::var(name) {
            Ok(value) => Some(value),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(value)) => Some(value.to_string_lossy().into_owned()),
        })
    }

    /// The process that `variable` names.
    ///
    /// # Errors
    /// [`LaunchError`] if the variables are not all there or make no sense.
    pub fn from_variables(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, LaunchError> {
        let variables = Variables(variable);
        let process = if variable("RANK").is_some() || variable("WORLD_SIZE").is_some() {
            variables.torchrun()?
        } else if variable("SLURM_STEP_NUM_TASKS").is_some() {
            // Set by srun alone: in a shell of sbatch or salloc nobody has started other ranks.
            variables.slurm()?
        } else {
            return Ok(None);
        };
        for (name, part, whole) in [
            ("RANK", process.rank, process.world),
            ("LOCAL_RANK", process.local_rank, process.local_world),
        ] {
            if part >= whole {
                let expected = "less than the number of ranks";
                return Err(LaunchError::Value { name, value: part.to_string(), expected });
            }
        }
        Ok(Some(process))
    }
}

struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn text(&self, name: &'static str, set: &'static str) -> Result<String, LaunchError> {
        (self.0)(name).ok_or(LaunchError::Missing { set, missing: name })
    }

    fn number(&self, name: &'static str) -> Result<Option<usize>, LaunchError> {
        let parsed = |value: String| {
            let expected = "a whole number";
            value.trim().parse().map_err(|_| LaunchError::Value { name, value, expected })
        };
        (self.0)(name).map(parsed).transpose()
    }

    fn port(&self) -> Result<Option<u16>, LaunchError> {
        let name = "MASTER_PORT";
        let parsed = |value: String| match value.trim().parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(LaunchError::Value { name, value, expected: "a port from 1 to 65535" }),
        };
        (self.0)(name).map(parsed).transpose()
    }

    fn torchrun(&self) -> Result<ProcessRank, LaunchError> {
        let missing = |set, missing| LaunchError::Missing { set, missing };
        let rank = self.number("RANK")?.ok_or(missing("WORLD_SIZE", "RANK"))?;
        let world = self.number("WORLD_SIZE")?.ok_or(missing("RANK", "WORLD_SIZE"))?;
        let agent = (self.0)("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value == "True");
        let attempt = self.number("TORCHELASTIC_RESTART_COUNT")?.unwrap_or(0) as u64;
        Ok(ProcessRank {
            rank,
            world,
            // As PyTorch does without the variable: every rank is of one machine.
            local_rank: self.number("LOCAL_RANK")?.unwrap_or(rank),
            local_world: self.number("LOCAL_WORLD_SIZE")?.unwrap_or(world),
            host: self.text("MASTER_ADDR", "RANK")?,
            port: self.port()?.ok_or(missing("RANK", "MASTER_PORT"))?,
            launcher: if agent { Launcher::Torchrun } else { Launcher::Variables },
            attempt,
        })
    }

    fn slurm(&self) -> Result<ProcessRank, LaunchError> {
        let set = "SLURM_STEP_NUM_TASKS";
        let needed = |name| self.number(name)?.ok_or(LaunchError::Missing { set, missing: name });
        let (rank, world) = (needed("SLURM_PROCID")?, needed(set)?);
        let local_rank = needed("SLURM_LOCALID")?;
        let host = match (self.0)("MASTER_ADDR") {
            Some(host) => host,
            None => first_host(&self.text("SLURM_STEP_NODELIST", set)?),
        };
        let job = self.number("SLURM_JOB_ID")?.unwrap_or(0);
        // Two jobs that share a machine should not meet.
        let port = self.port()?.unwrap_or(29_500 + (job % 1000) as u16);
        let local_world = self.number("SLURM_NTASKS_PER_NODE")?.unwrap_or(world);
        Ok(ProcessRank {
            rank,
            world,
            local_rank,
            local_world,
            host,
            port,
            launcher: Launcher::Slurm,
            attempt: 0,
        })
    }
}

/// The first host of Slurm's list, such as `gpu[03-05,9],cpu1`: `gpu03`.
fn first_host(list: &str) -> String {
    let end = list.find(['[', ',']).unwrap_or(list.len());
    let Some(rest) = list[end..].strip_prefix('[') else { return list[..end].to_owned() };
    let (range, after) = rest.split_once(']').unwrap_or((rest, ""));
    let number = &range[..range.find(['-', ',']).unwrap_or(range.len())];
    let suffix = &after[..after.find(',').unwrap_or(after.len())];
    format!("{}{number}{suffix}", &list[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(variables: &[(&str, &str)]) -> Result<Option<ProcessRank>, LaunchError> {
        ProcessRank::from_variables(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const TORCHRUN: [(&str, &str); 8] = [
        ("RANK", "5"),
        ("WORLD_SIZE", "8"),
        ("LOCAL_RANK", "1"),
        ("LOCAL_WORLD_SIZE", "4"),
        ("MASTER_ADDR", "node1"),
        ("MASTER_PORT", "29500"),
        ("TORCHELASTIC_USE_AGENT_STORE", "True"),
        ("TORCHELASTIC_RESTART_COUNT", "2"),
    ];

    #[test]
    fn torchruns_variables() {
        let expected = ProcessRank {
            rank: 5,
            world: 8,
            local_rank: 1,
            local_world: 4,
            host: "node1".to_owned(),
            port: 29_500,
            launcher: Launcher::Torchrun,
            attempt: 2,
        };
        assert_eq!(process(&TORCHRUN), Ok(Some(expected)));
        assert_eq!(process(&[]), Ok(None));
        assert_eq!(process(&[("MASTER_ADDR", "a"), ("MASTER_PORT", "1")]), Ok(None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for missing in ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"] {
            let rest: Vec<_> = TORCHRUN.into_iter().filter(|(name, _)| *name != missing).collect();
            let error = process(&rest).unwrap_err().to_string();
            assert!(error.contains(&format!("{missing} is not")), "{error}");
        }
        for (name, value) in
            [("RANK", "8"), ("RANK", "-1"), ("MASTER_PORT", "0"), ("MASTER_PORT", "65536")]
        {
            let mut changed = TORCHRUN;
            changed.iter_mut().filter(|(known, _)| *known == name).for_each(|pair| pair.1 = value);
            let error = process(&changed).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn slurms_variables_of_a_step() {
        let slurm = [
            ("SLURM_STEP_NUM_TASKS", "6"),
            ("SLURM_PROCID", "4"),
            ("SLURM_LOCALID", "1"),
            ("SLURM_STEP_NODELIST", "gpu[03-05]"),
            ("SLURM_JOB_ID", "120007"),
        ];
        let found = process(&slurm).unwrap().unwrap();
        assert_eq!((found.rank, found.world, found.local_rank), (4, 6, 1));
        assert_eq!((found.host.as_str(), found.port), ("gpu03", 29_507));
        assert_eq!(found.launcher, Launcher::Slurm);
        // In the shell of sbatch there is no step, and nobody else to wait for.
        assert_eq!(process(&[("SLURM_NTASKS", "6"), ("SLURM_PROCID", "0")]), Ok(None));
    }

    #[test]
    fn first_hosts_of_lists() {
        for (list, first) in [
            ("a", "a"),
            ("a,b", "a"),
            ("n[1,3]", "n1"),
            ("n[08-11,20],m", "n08"),
            ("x[1-2].site,y", "x1.site"),
            ("n[", "n"),
            ("", ""),
        ] {
            assert_eq!(first_host(list), first, "{list}");
        }
    }
}
