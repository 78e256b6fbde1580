//! What the bundle of a recipe says of itself.

use hemora_bundling::About;
use hemora_ct::{Channel, InputRecipe};

use crate::recipe::options::{Kind, Preset, RecipeOptions, Stage1};

/// The channels in words.
fn input(stage1: &Stage1, options: &RecipeOptions) -> String {
    let Some(recipe) = InputRecipe::named(&stage1.input, options.size) else {
        return format!("{} at {} pixels", stage1.input, options.size);
    };
    let channel = |channel: &Channel| {
        let slice = match channel.offset {
            0 => "the slice itself".to_owned(),
            below @ ..0 => format!("{} below", -below),
            above => format!("{above} above"),
        };
        format!("{slice} in {}/{}", channel.window.level, channel.window.width)
    };
    let channels: Vec<String> = recipe.channels.iter().map(channel).collect();
    format!(
        "{} channels of {} pixels, windows as level/width in HU: {}. At the ends of a stack the end \
         slice is repeated.",
        channels.len(),
        options.size,
        channels.join(", ")
    )
}

/// The description as TOML. `slices` are those of the data set.
pub(crate) fn about(options: &RecipeOptions, stage1: &Stage1, slices: usize) -> String {
    let mut limits = vec![
        "Figures out of fold are those of the models of all folds, of which this is one.".to_owned(),
        "Slices are scored by the weights of one fold, and the network of series on its features is \
         that fold's: the other folds' are not in this bundle."
            .to_owned(),
        CALIBRATION.to_owned(),
    ];
    if let others @ 2.. = options.stage1.len() {
        limits.push(format!(
            "One of {others} networks: the others are not in this bundle, nor the networks of series \
             that read the means of all."
        ));
    }
    write(
        options,
        About {
            training_data: format!(
                "{} of {} folds of a data set of {slices} labelled slices, whole patients each",
                options.folds - 1,
                options.folds
            ),
            input: input(stage1, options),
            validation:
                "The fold that was held out; the best epoch was chosen on it, so its figures are \
                     somewhat too high."
                    .to_owned(),
            limits,
            ..unnamed()
        },
    )
}

/// The same of the bundle of all networks and folds.
pub(crate) fn about_ensemble(options: &RecipeOptions, slices: usize) -> String {
    let mut limits = vec![
        "Figures out of fold are of each fold's members alone, on the patients that they did not see. \
         The mean over folds could be measured on other data only: of these every patient was seen by \
         all members but those of one fold."
            .to_owned(),
        CALIBRATION.to_owned(),
    ];
    if options.stage1.len() > 1 {
        limits.push(
            "The last networks of series were trained on what one fold's members say of patients they \
             did not see; here they read the mean over all folds, and are averaged themselves."
                .to_owned(),
        );
    }
    let inputs: Vec<String> = options
        .stage1
        .iter()
        .map(|stage1| format!("{}: {}", stage1.name, input(stage1, options)))
        .collect();
    write(options, About {
        training_data: format!(
            "A data set of {slices} labelled slices in {0} folds, whole patients each: every member on \
             all but one",
            options.folds
        ),
        input: inputs.join("\n\n"),
        validation:
            "Out of fold; the best epoch of each member was chosen on its fold, so the figures are \
             somewhat too high."
                .to_owned(),
        limits,
        ..unnamed()
    })
}

const CALIBRATION: &str =
    "No calibration and no operating points: fit them with `hemora calibrate`.";

/// What every bundle of a recipe says.
fn unnamed() -> About {
    About {
        name: String::new(),
        version: String::new(),
        // Known to nobody but the clock, which would make every bundle another one.
        created: "see the file's date".to_owned(),
        licence: "That of the data set it was trained on.".to_owned(),
        intended_use:
            "Research: comparing recipes. Not for diagnosis, not for any decision about a \
                       patient."
                .to_owned(),
        training_data: String::new(),
        input: String::new(),
        validation: String::new(),
        limits: Vec::new(),
    }
}

/// The description as TOML, named after the recipe.
fn write(options: &RecipeOptions, mut about: About) -> String {
    let recipe = match options.kind {
        Kind::Winner => "winner",
        Kind::Fast => "fast",
    };
    let preset = match options.preset {
        Preset::Quick => "quick",
        Preset::Full => "full",
    };
    if options.preset == Preset::Quick {
        about.limits.push(
            "Made to show that every step works: a small network, few epochs, small images."
                .to_owned(),
        );
    }
    (about.name, about.version) = (format!("recipe-{recipe}"), format!("0.0.0-{preset}"));
    toml::to_string(&about).expect("texts are valid TOML")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_names_its_channels_and_what_is_not_in_the_bundle() {
        let options = RecipeOptions::new(Kind::Winner, Preset::Full);
        let text = about(&options, &options.stage1[1], 700);
        let about: toml::Table = toml::from_str(&text).unwrap();
        let input = about["input"].as_str().unwrap();
        assert!(input.starts_with("3 channels of 256 pixels"), "{input}");
        assert!(input.contains("1 below in 40/80, the slice itself in 40/80, 1 above"), "{input}");
        let limits = about["limits"].as_array().unwrap();
        assert!(limits.iter().any(|limit| limit.as_str().unwrap().contains("One of 3 networks")));
        assert!(about["training_data"].as_str().unwrap().contains("4 of 5 folds"));
        let about: About = toml::from_str(&about_ensemble(&options, 700)).unwrap();
        assert_eq!((&*about.name, &*about.version), ("recipe-winner", "0.0.0-full"));
        assert_eq!(about.input.matches(" channels of 256 pixels").count(), 3, "{}", about.input);
        assert!(about.training_data.contains("in 5 folds"), "{}", about.training_data);
        let quick = RecipeOptions::new(Kind::Fast, Preset::Quick);
        assert!(about_ensemble(&quick, 10).contains("every step works"));
    }
}
