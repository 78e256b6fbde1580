//! The steps that make the bundle: one of each fold of each network with its networks of series, and one
//! of all; or the first network's first fold alone.

use std::ffi::OsString;
use std::path::Path;

use crate::engine::Command;
use crate::recipe::Stage1;
use crate::recipe::about::{about, about_ensemble};
use crate::recipe::layout::{ENSEMBLE, Layout, PROBABILITIES, STAGE2, flag, named};

/// Folder of the bundles of single folds.
pub(super) const MEMBERS: &str = "members";

impl Layout<'_> {
    /// Adds the steps that make `bundle`.
    pub(super) fn add_bundles(&mut self, bundle: &Path) {
        let about_file = self.out.join("about.toml");
        if self.options.one_fold {
            let first = &self.options.stage1[0];
            let mut settings = self.member(first, 1);
            settings.push(flag("about", &about_file));
            settings.push(flag("evaluation", &self.evaluation(&first.name)));
            settings.push(flag("out", bundle));
            let title = "a model that `hemora triage` takes: one network of one fold";
            let text = about(self.options, first, self.slices);
            let step = self.call("bundle", title, Command::ModelBundle, settings);
            self.add(step.with_file(about_file, text).writes([bundle.to_owned()]));
            return;
        }
        let (mut all, options) = (Vec::new(), self.options);
        for stage1 in &options.stage1 {
            for fold in 1..=options.folds {
                all.push(self.add_member(stage1, fold));
            }
        }
        if options.stage1.len() > 1 {
            let fit = |stage: &str| self.out.join(stage).join(ENSEMBLE).join("ensemble.json");
            all.push(flag("fit", &fit(STAGE2)));
            all.push(flag("series-run", &self.out.join(STAGE2).join(PROBABILITIES)));
            all.push(flag("slices-fit", &fit("stage1")));
        }
        all.push(flag("about", &about_file));
        all.push(flag("evaluation", &self.evaluation(STAGE2)));
        all.push(flag("out", bundle));
        let title = "a model that `hemora triage` takes: all networks of all folds";
        let text = about_ensemble(self.options, self.slices);
        let step = self.call("bundle", title, Command::EnsembleBundle, all);
        self.add(step.with_file(about_file, text).writes([bundle.to_owned()]));
    }

    /// Adds the bundle of a fold. Returns it as the bundle of all takes it.
    fn add_member(&mut self, stage1: &Stage1, fold: usize) -> OsString {
        let name = format!("{}-{fold}", stage1.name);
        let folder = self.out.join(MEMBERS);
        let bundle = folder.join(format!("{name}.hemora"));
        let about_file = folder.join(format!("{}.toml", stage1.name));
        let mut settings = self.member(stage1, fold);
        // The mean over folds is taken of the members.
        settings.push("--own-fold".into());
        settings.push(flag("about", &about_file));
        settings.push(flag("out", &bundle));
        let title = format!("a bundle of fold {fold} of {}", stage1.name);
        let text = about(self.options, stage1, self.slices);
        let step = self.call(format!("member-{name}"), title, Command::ModelBundle, settings);
        self.add(step.with_file(about_file, text).writes([bundle.clone()]));
        named(&stage1.name, &bundle)
    }

    /// Arguments of `hemora model bundle` for a fold, without description and output.
    fn member(&self, stage1: &Stage1, fold: usize) -> Vec<OsString> {
        let run = self.out.join("stage1").join(&stage1.name);
        let mut settings = vec![
            run.join(format!("fold-{fold}/model.safetensors")).into(),
            format!("--views={}", self.options.views.name()).into(),
            flag("series-run", &self.out.join(STAGE2).join(&stage1.name)),
        ];
        if self.options.stage1.len() == 1 {
            // Of several networks it reads the means, and belongs to the bundle of all.
            settings.push(flag("series-run", &self.out.join(STAGE2).join(PROBABILITIES)));
        }
        settings
    }
}
