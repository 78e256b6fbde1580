//! Settings that no run can start with.

use miette::{Result, bail};

use super::RunConfig;

impl RunConfig {
    /// Refuses settings out of bounds.
    ///
    /// # Errors
    /// A report that names the flag, its value and what was expected.
    pub fn check(&self) -> Result<()> {
        if self.is_prepared() {
            for (flag, path) in [("--images", &self.images), ("--labels", &self.labels)] {
                if !path.as_os_str().is_empty() {
                    bail!("--prepared and {flag}: expected one of them, as both name the images");
                }
            }
        }
        for (flag, path, what) in [
            ("--images", self.images(), "the folder with the images"),
            ("--labels", &self.labels(), "the label table"),
            ("--out", &self.out, "the folder of the run"),
        ] {
            if path.as_os_str().is_empty() {
                bail!("{flag} is missing: name {what}, or set it in the file that --config names");
            }
        }
        for (flag, value) in [
            ("--learning-rate", self.optimizer().learning_rate),
            ("--any-weight", self.any_weight),
            ("--decay", self.decay),
        ] {
            if !(value.is_finite() && value > 0.0) {
                bail!("{flag} {value}: expected a number above 0");
            }
        }
        for (flag, value) in [
            ("--clip", self.clip),
            ("--focal", self.focal),
            ("--weight-decay", self.optimizer().weight_decay),
            ("--least-gain", self.least_gain),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                bail!("{flag} {value}: expected 0 or a number above");
            }
        }
        for (flag, value) in
            [("--rise", self.rise), ("--dropout", self.dropout), ("--ema", self.ema)]
        {
            if !(0.0..1.0).contains(&value) {
                bail!("{flag} {value}: expected a number from 0 up to 1");
            }
        }
        for (flag, value) in [
            ("--epochs", self.epochs),
            ("--accumulate", self.accumulate as u64),
            ("--decay-every", self.decay_every),
            ("--plateau", self.plateau),
            ("--restart-growth", self.restart_growth),
        ] {
            if value == 0 {
                bail!("{flag} 0: expected at least 1");
            }
        }
        if self.is_joint() {
            crate::joint::check(self)?;
        }
        if !self.teacher.is_empty() {
            self.check_teaching()?;
        }
        if self.split.is_some() && self.folds > 0 {
            bail!("--split and --folds: expected one of them, as both say what is held out");
        }
        if self.folds == 1 || self.fold > self.folds {
            bail!(
                "--folds {} --fold {}: expected at least 2 folds, and one of them",
                self.folds,
                self.fold
            );
        }
        Ok(())
    }

    /// Refuses teachers beside what they cannot be mixed with.
    fn check_teaching(&self) -> Result<()> {
        let weight = self.teacher_weight;
        if !(weight > 0.0 && weight <= 1.0) {
            bail!("--teacher-weight {weight}: expected a number above 0 and up to 1");
        }
        if self.focal > 0.0 {
            bail!(
                "--teacher and --focal: expected one of them, as the focal loss needs certain labels"
            );
        }
        if self.is_joint() {
            bail!("--teacher and --series: expected one of them, as teachers read single slices");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_bounds_are_named() {
        let good = RunConfig {
            images: "i".into(),
            labels: "l".into(),
            out: "o".into(),
            ..RunConfig::default()
        };
        good.check().unwrap();
        let wrong = |config: RunConfig| config.check().unwrap_err().to_string();
        assert!(wrong(RunConfig::default()).contains("--images is missing"));
        let rate = RunConfig { learning_rate: Some(-1.0), ..good.clone() };
        let both = RunConfig { prepared: "p".into(), ..good.clone() };
        assert!(wrong(both.clone()).contains("--prepared and --images"));
        RunConfig { images: "".into(), labels: "".into(), ..both }.check().unwrap();
        assert_eq!(wrong(rate), "--learning-rate -1: expected a number above 0");
        let clip = RunConfig { clip: f64::NAN, ..good.clone() };
        assert!(wrong(clip).starts_with("--clip NaN"));
        let folds = RunConfig { folds: 3, fold: 4, ..good.clone() };
        assert!(wrong(folds).contains("--fold 4"));
        assert!(wrong(RunConfig { accumulate: 0, ..good.clone() }).contains("--accumulate 0"));
        let taught = RunConfig { teacher: vec!["t".into()], ..good };
        taught.check().unwrap();
        let none = RunConfig { teacher_weight: 0.0, ..taught.clone() };
        assert!(wrong(none).contains("--teacher-weight 0"));
        assert!(wrong(RunConfig { focal: 2.0, ..taught }).contains("--teacher and --focal"));
    }
}
