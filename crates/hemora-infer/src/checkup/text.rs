//! The check-up as a person reads it.

use std::fmt;

use super::{Checkup, EngineCheck};

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

impl fmt::Display for Checkup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(out, "hemora      {}, {}", self.version, machine.system)?;
        let processor = machine.processor.as_deref().unwrap_or("unknown processor");
        write!(out, "processor   {processor}, {} cores", machine.cores)?;
        for name in &machine.instructions {
            write!(out, ", {name}")?;
        }
        writeln!(out)?;
        if let Some(memory) = machine.memory {
            writeln!(out, "memory      {}, {} free", gib(memory.total), gib(memory.available))?;
        }
        for disk in &machine.disks {
            writeln!(out, "disk        {} free at {}", gib(disk.free), disk.folder.display())?;
        }
        for gpu in &machine.gpus {
            writeln!(out, "GPU         {gpu} (for training; triage runs on the processor)")?;
        }
        let model = &self.model;
        let hash = model.sha256.get(..12).unwrap_or_default();
        writeln!(out, "model       {} {}, SHA-256 {hash}…", model.name, model.version)?;
        writeln!(out)?;
        for engine in &self.engines {
            writeln!(out, "{:<12}{engine}", engine.name)?;
        }
        match (self.engine, self.gain) {
            (None, _) => writeln!(out, "triage      does not work")?,
            (Some(name), None) => writeln!(out, "triage      runs {name}")?,
            (Some(name), Some(gain)) => {
                writeln!(
                    out,
                    "triage      runs {name}, {gain:.1} times as fast as tract just now"
                )?;
            }
        }
        self.places(out)?;
        if !self.advice.is_empty() {
            writeln!(out, "\nWhat to do:")?;
        }
        for advice in &self.advice {
            writeln!(out, "- {}", advice.text)?;
            if let Some(command) = advice.command {
                writeln!(out, "    {command}")?;
            }
        }
        Ok(())
    }
}

impl Checkup {
    fn places(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.search.off {
            return writeln!(out, "\nONNX Runtime was not looked for: HEMORA_ONNXRUNTIME is off");
        }
        writeln!(out, "\nONNX Runtime was looked for at")?;
        self.search.places.iter().try_for_each(|place| writeln!(out, "  {place}"))
    }
}

impl fmt::Display for EngineCheck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.works {
            // The places follow, each with what came of it.
            let is_runtime = self.name != "tract";
            let reason = self.reason.as_deref().filter(|_| !is_runtime || self.library.is_some());
            return match reason {
                Some(reason) => write!(out, "does not work: {reason}"),
                None => write!(out, "not available"),
            };
        }
        write!(out, "works")?;
        if let Some(rate) = self.images_per_s {
            write!(out, ", {rate:.0} images/s on one core")?;
        }
        if let Some(difference) = self.difference {
            write!(out, ", probabilities within {difference:.0e} of tract's")?;
        }
        if let Some(version) = &self.library_version {
            write!(out, ", version {version}")?;
        }
        match &self.library {
            Some(library) => write!(out, ", {}", library.display()),
            None => write!(out, ", built in"),
        }
    }
}
