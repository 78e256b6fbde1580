//! What the bundle of a recipe says of itself.

use serde::Serialize;

use crate::options::{Kind, Preset, RecipeOptions, Stage1};

/// The description that `hemora model bundle` takes.
#[derive(Debug, Serialize)]
struct About {
    name: String,
    version: String,
    created: String,
    licence: String,
    intended_use: String,
    training_data: String,
    input: String,
    validation: String,
    limits: Vec<String>,
}

/// The description as TOML. `slices` are those of the data set.
pub(crate) fn about(options: &RecipeOptions, stage1: &Stage1, slices: usize) -> String {
    let recipe = match options.kind {
        Kind::Winner => "winner",
        Kind::Fast => "fast",
    };
    let preset = match options.preset {
        Preset::Quick => "quick",
        Preset::Full => "full",
    };
    let mut limits = vec![
        "The weights of one fold: the other folds' models are not in this bundle.".to_owned(),
        "One slice with its neighbours at a time: the networks of whole series are not in this bundle."
            .to_owned(),
        "No calibration and no operating points: fit them with `hemora calibrate`.".to_owned(),
    ];
    if let others @ 2.. = options.stage1.len() {
        limits.push(format!("One of {others} networks: the others are not in this bundle."));
    }
    if options.preset == Preset::Quick {
        limits.push(
            "Made to show that every step works: a small network, few epochs, small images."
                .to_owned(),
        );
    }
    let about = About {
        name: format!("recipe-{recipe}"),
        version: format!("0.0.0-{preset}"),
        // Known to nobody but the clock, which would make every bundle another one.
        created: "see the file's date".to_owned(),
        licence: "That of the data set it was trained on.".to_owned(),
        intended_use:
            "Research: comparing recipes. Not for diagnosis, not for any decision about a \
                       patient."
                .to_owned(),
        training_data: format!(
            "{} of {} folds of a data set of {slices} labelled slices, whole patients each",
            options.folds - 1,
            options.folds
        ),
        input: format!("{} at {} pixels", stage1.input, options.size),
        validation:
            "The fold that was held out; the best epoch was chosen on it, so its figures are \
                     somewhat too high."
                .to_owned(),
        limits,
    };
    toml::to_string(&about).expect("texts are valid TOML")
}
