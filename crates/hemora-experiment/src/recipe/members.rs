//! The steps that make the bundle: one of each fold of each network with its networks of series, and one
//! of all; or the first network's first fold alone.

use std::ffi::OsString;
use std::path::Path;

use crate::recipe::about::{about, about_ensemble};
use crate::recipe::layout::{ENSEMBLE, PROBABILITIES, STAGE2, flag, words};
use crate::recipe::step::Action;
use crate::recipe::{RecipeOptions, Stage1, Step};

/// Folder of the bundles of single folds.
pub(crate) const MEMBERS: &str = "members";

/// The steps that make `bundle`, for a data set of so many slices.
pub(crate) fn bundle_steps(
    options: &RecipeOptions,
    out: &Path,
    bundle: &Path,
    slices: usize,
) -> Vec<Step> {
    let evaluated = |name: &str| out.join("evaluation").join(name);
    let about_file = out.join("about.toml");
    if options.one_fold {
        let first = &options.stage1[0];
        let mut arguments = member(options, out, first, 1);
        arguments.push(flag("about", &about_file));
        arguments.push(flag("evaluation", &evaluated(&first.name)));
        arguments.push(flag("out", bundle));
        return vec![Step {
            name: "bundle".to_owned(),
            what: "a model that `hemora triage` takes: one network of one fold".to_owned(),
            action: Action::Hemora(arguments),
            files: vec![(about_file, about(options, first, slices))],
            outputs: vec![bundle.to_owned()],
        }];
    }
    let mut steps = Vec::new();
    let mut all = words(["ensemble", "bundle"]);
    for stage1 in &options.stage1 {
        for fold in 1..=options.folds {
            let name = format!("{}-{fold}", stage1.name);
            let to = out.join(MEMBERS).join(format!("{name}.hemora"));
            let about_member = out.join(MEMBERS).join(format!("{}.toml", stage1.name));
            let mut arguments = member(options, out, stage1, fold);
            // The mean over folds is taken of the members.
            arguments.push("--own-fold".into());
            arguments.push(flag("about", &about_member));
            arguments.push(flag("out", &to));
            steps.push(Step {
                name: format!("member-{name}"),
                what: format!("a bundle of fold {fold} of {}", stage1.name),
                action: Action::Hemora(arguments),
                files: vec![(about_member, about(options, stage1, slices))],
                outputs: vec![to.clone()],
            });
            let mut named = OsString::from(format!("{}=", stage1.name));
            named.push(&to);
            all.push(named);
        }
    }
    if options.stage1.len() > 1 {
        let fit = |stage: &str| out.join(stage).join(ENSEMBLE).join("ensemble.json");
        all.push(flag("fit", &fit(STAGE2)));
        all.push(flag("series", &out.join(STAGE2).join(PROBABILITIES)));
        all.push(flag("slices-fit", &fit("stage1")));
    }
    all.push(flag("about", &about_file));
    all.push(flag("evaluation", &evaluated(STAGE2)));
    all.push(flag("out", bundle));
    steps.push(Step {
        name: "bundle".to_owned(),
        what: "a model that `hemora triage` takes: all networks of all folds".to_owned(),
        action: Action::Hemora(all),
        files: vec![(about_file, about_ensemble(options, slices))],
        outputs: vec![bundle.to_owned()],
    });
    steps
}

/// `hemora model bundle` of a fold, without its description and place.
fn member(options: &RecipeOptions, out: &Path, stage1: &Stage1, fold: usize) -> Vec<OsString> {
    let run = out.join("stage1").join(&stage1.name);
    let mut arguments = words(["model", "bundle"]);
    arguments.push(run.join(format!("fold-{fold}/model.safetensors")).into());
    arguments.push(format!("--views={}", options.views.name()).into());
    arguments.push(flag("series", &out.join(STAGE2).join(&stage1.name)));
    if options.stage1.len() == 1 {
        // Of several networks it reads the means, and belongs to the bundle of all.
        arguments.push(flag("series", &out.join(STAGE2).join(PROBABILITIES)));
    }
    arguments
}
