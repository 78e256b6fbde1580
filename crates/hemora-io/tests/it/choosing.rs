//! The series of a study that is to be read.

use hemora_ct::{ImagePlane, Window};
use hemora_io::{SelectionRule, Series, SeriesChoice, SliceHeader, choose_series, collect, group};
use proptest::prelude::*;

use crate::series_properties::{Stack, header};
use crate::shared;

/// An axial series of 32 slices of 5 mm, changed.
fn series(uid: &str, change: impl Fn(&mut SliceHeader)) -> Series {
    let stack = Stack { count: 32, spacing: 5.0, tilt: 12.0, flipped: false };
    made(uid, stack.headers(), change)
}

fn made(uid: &str, mut headers: Vec<SliceHeader>, change: impl Fn(&mut SliceHeader)) -> Series {
    for slice in &mut headers {
        slice.series_instance_uid = Some(uid.to_owned());
        slice.slice_thickness = Some(5.0);
        change(slice);
    }
    group(headers).studies.remove(0).series.remove(0)
}

fn described(uid: &str, text: &str) -> Series {
    series(uid, |slice| slice.series_description = Some(text.to_owned()))
}

fn typed(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// Asserts that the first series is chosen before the second by `rule`, in either order.
fn goes_before(first: Series, second: Series, rule: SelectionRule) {
    let both = [first, second];
    let choices = choose_series(&both);
    assert_eq!(choices[0], SeriesChoice::Chosen);
    assert!(
        matches!(&choices[1], SeriesChoice::PassedOver { rule: by, .. } if *by == rule),
        "{:?}, expected {rule:?}",
        choices[1]
    );
    let [first, second] = both;
    let reversed = choose_series(&[second, first]);
    assert_eq!((&reversed[0], &reversed[1]), (&choices[1], &choices[0]));
}

#[test]
fn every_rule_decides() {
    let usual = || series("2", |_| ());
    let derived = |values: &[&str]| {
        let values = typed(values);
        series("1", move |slice| slice.image_type = values.clone())
    };
    let original =
        || series("2", |slice| slice.image_type = typed(&["ORIGINAL", "PRIMARY", "AXIAL"]));
    let rule = SelectionRule::Original;
    goes_before(original(), derived(&["DERIVED", "PRIMARY", "AXIAL"]), rule);
    goes_before(original(), derived(&["ORIGINAL", "PRIMARY", "AXIAL", "MPR"]), rule);
    let compressed = derived(&["DERIVED", "PRIMARY", "AXIAL"]);
    goes_before(compressed, derived(&["DERIVED", "SECONDARY", "REFORMATTED"]), rule);

    let contrast =
        |uid: &str, agent: &str| series(uid, |slice| slice.contrast_agent = Some(agent.to_owned()));
    goes_before(usual(), contrast("1", "Iomeprol"), SelectionRule::NoContrast);
    goes_before(contrast("2", "sin contraste"), contrast("1", "IV"), SelectionRule::NoContrast);
    goes_before(usual(), described("1", "Kopf mit KM"), SelectionRule::NoContrast);

    let chest = series("1", |slice| slice.body_part = Some("CHEST".to_owned()));
    goes_before(usual(), chest, SelectionRule::Head);
    goes_before(usual(), described("1", "C-SPINE 2.0"), SelectionRule::Head);

    let short = Stack { count: 8, spacing: 5.0, tilt: 0.0, flipped: false };
    let short = made("1", short.headers(), |_| ());
    goes_before(usual(), short, SelectionRule::CoversHead);

    let kernel = |uid: &str, name: &'static str| {
        series(uid, move |slice| slice.convolution_kernel = Some(name.to_owned()))
    };
    let rule = SelectionRule::SoftKernel;
    goes_before(kernel("2", "H31s"), kernel("1", "H60s"), rule);
    goes_before(kernel("2", "STANDARD"), usual(), rule);
    goes_before(usual(), kernel("1", "BONEPLUS"), rule);
    goes_before(usual(), described("1", "Head Bone"), rule);
    goes_before(described("2", "partes blandas"), described("1", "ventana ósea"), rule);
    let wide =
        |slice: &mut SliceHeader| slice.window = Some(Window { level: 600.0, width: 2800.0 });
    goes_before(usual(), series("1", wide), rule);
    // The window belongs to the pixels, the description often to the protocol.
    let narrow = series("2", |slice| {
        slice.series_description = Some("Brain and bone".to_owned());
        slice.window = Some(Window::BRAIN);
    });
    goes_before(narrow, series("1", wide), rule);

    let thick = |uid: &str, thickness: f64| {
        series(uid, move |slice| slice.slice_thickness = Some(thickness))
    };
    let rule = SelectionRule::UsualThickness;
    goes_before(thick("2", 4.8), thick("1", 0.625), rule);
    goes_before(thick("2", 2.5), thick("1", 10.0), rule);

    let more = Stack { count: 40, spacing: 5.0, tilt: 0.0, flipped: false };
    goes_before(made("2", more.headers(), |_| ()), series("1", |_| ()), SelectionRule::MoreSlices);
    goes_before(series("1", |_| ()), usual(), SelectionRule::LowerUid);
}

#[test]
fn thin_slices_alone_and_derived_series_alone_are_read() {
    let thin = Stack { count: 256, spacing: 0.625, tilt: 0.0, flipped: false };
    let thin = made("1", thin.headers(), |slice| slice.slice_thickness = Some(0.625));
    assert_eq!(choose_series(&[thin]), [SeriesChoice::Chosen]);
    let derived = series("1", |slice| slice.image_type = typed(&["DERIVED", "SECONDARY", "MPR"]));
    assert_eq!(choose_series(&[derived]), [SeriesChoice::Chosen]);
    assert_eq!(choose_series(&[]), []);
}

#[test]
fn localizers_and_other_orientations_are_left_out_with_the_reason() {
    let upright = |uid: &str, row: [f64; 3]| {
        let orientation = [row[0], row[1], row[2], 0.0, 0.0, -1.0];
        let plane = |number: usize| {
            let position = [number as f64 * 5.0 * row[1], number as f64 * 5.0 * row[0], 0.0];
            ImagePlane::new(position, orientation, Some([0.5, 0.5])).unwrap()
        };
        let headers = (0..32).map(|number| header(number, Some(plane(number)))).collect();
        made(uid, headers, |_| ())
    };
    let scout =
        series("1", |slice| slice.image_type = typed(&["ORIGINAL", "PRIMARY", "LOCALIZER"]));
    let two = Stack { count: 2, spacing: 5.0, tilt: 0.0, flipped: false };
    let topogram = made("2", two.headers(), |slice| {
        slice.series_description = Some("Topogram 0.6".to_owned());
    });
    let oblique = Stack { count: 32, spacing: 5.0, tilt: 60.0, flipped: false };
    let series = [
        scout,
        topogram,
        upright("3", [0.0, 1.0, 0.0]),
        upright("4", [1.0, 0.0, 0.0]),
        made("5", oblique.headers(), |_| ()),
    ];
    let texts: Vec<String> = choose_series(&series).iter().map(ToString::to_string).collect();
    let only = "from the transverse plane; only axial slices are read";
    assert_eq!(
        texts,
        [
            "left out: a localizer".to_owned(),
            "left out: a localizer".to_owned(),
            format!("left out: sagittal, 90 degrees {only}"),
            format!("left out: coronal, 90 degrees {only}"),
            format!("left out: oblique, 60 degrees {only}"),
        ]
    );
}

#[test]
fn a_stack_of_axial_slices_is_no_localizer_whatever_it_is_called() {
    for name in ["HEAD W/O SCOUT", "Scout + Head", "Kopf nach Topogramm", "SURVIEW HEAD"] {
        assert_eq!(choose_series(&[described("1", name)]), [SeriesChoice::Chosen], "{name}");
    }
    let short = Stack { count: 2, spacing: 5.0, tilt: 0.0, flipped: false };
    let choice = |name: &str, kind: &[&str]| {
        let series = made("1", short.headers(), |slice| {
            slice.series_description = Some(name.to_owned());
            slice.image_type = typed(kind);
        });
        choose_series(&[series]).remove(0)
    };
    for name in ["scout", "Topogramm", "localizador", "Lokalisationsaufnahme", "surview"] {
        assert_eq!(choice(name, &["ORIGINAL", "PRIMARY"]), SeriesChoice::Localizer, "{name}");
        assert_eq!(choice(name, &["ORIGINAL", "PRIMARY", "AXIAL"]), SeriesChoice::Chosen, "{name}");
    }
    for name in ["head w/o scout", "ohne Topogramm", "scouting"] {
        assert_eq!(choice(name, &["ORIGINAL", "PRIMARY"]), SeriesChoice::Chosen, "{name}");
    }
}

#[test]
fn a_choice_can_be_printed_with_its_rule() {
    let soft = series("1", |slice| slice.convolution_kernel = Some("H31s".to_owned()));
    let bone = series("2", |slice| slice.convolution_kernel = Some("H60s".to_owned()));
    let choices = choose_series(&[bone, soft]);
    assert_eq!(
        choices[0].to_string(),
        "passed over: soft-tissue kernels before unknown and bone kernels: bone kernel here, \
         soft-tissue kernel in the chosen series"
    );
    assert_eq!(choices[1].to_string(), "chosen");
    // The slice that makes a series derived, not the first.
    let mixed = series("1", |slice| {
        let is_first = slice.sop_instance_uid.as_deref() == Some("ID_0");
        slice.image_type = typed(&["ORIGINAL", "PRIMARY"]);
        if !is_first {
            slice.image_type = typed(&["DERIVED", "SECONDARY", "MPR"]);
        }
    });
    let text = choose_series(&[mixed, series("2", |_| ())])[0].to_string();
    let expected = "DERIVED\\SECONDARY\\MPR here, no ImageType in the chosen series";
    assert!(text.ends_with(expected), "{text}");
    let rules: Vec<String> = SelectionRule::ALL.iter().map(ToString::to_string).collect();
    assert!(rules.iter().all(|rule| !rule.is_empty()));
    assert!(SelectionRule::ALL.is_sorted());
}

/// Two parts of one series that nothing else tells apart.
#[test]
fn the_earlier_part_of_a_series_goes_first() {
    let stack = Stack { count: 32, spacing: 5.0, tilt: 12.0, flipped: false };
    let mut headers = stack.headers();
    for mut slice in stack.headers() {
        slice.rows *= 2;
        slice.sop_instance_uid = slice.sop_instance_uid.map(|uid| format!("{uid}.2"));
        headers.push(slice);
    }
    for slice in &mut headers {
        slice.series_instance_uid = Some("1.7".to_owned());
        slice.plane = None;
    }
    let mut parts = group(headers).studies.remove(0).series;
    assert_eq!(parts.len(), 2);
    let choices = choose_series(&parts);
    assert_eq!(choices[0], SeriesChoice::Chosen);
    let text = choices[1].to_string();
    let expected = "part 2 of 1.7 here, part 1 of 1.7 in the chosen series";
    assert!(text.ends_with(expected), "{text}");
    parts.reverse();
    let reversed = choose_series(&parts);
    assert_eq!((&reversed[0], &reversed[1]), (&choices[1], &choices[0]));
}

#[test]
fn the_series_of_every_real_study_is_chosen() {
    let Some(folder) = shared::folder("rsna-sample/dicom") else { return };
    let found = collect(&[folder], &|_, _| ());
    for study in &found.studies {
        assert_eq!(choose_series(&study.series), [SeriesChoice::Chosen], "{}", study.id());
    }
}

/// Any series at all: what matters is that a choice is made, and the same one in any order.
fn any_series() -> impl Strategy<Value = Series> {
    let text = |values: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(values))
            .prop_map(|text| text.map(str::to_owned))
    };
    let kinds = proptest::sample::select(&["ORIGINAL", "DERIVED", "LOCALIZER", "MPR"][..]);
    (
        (1usize..30, 0.5..8.0, -80.0..80.0, any::<bool>()),
        text(&["H30s", "H60s", "BONE", "FC26", "x"]),
        text(&["Head", "Topogram", "bone"]),
        proptest::option::of(0.5..10.0),
        kinds,
        0..5u8,
    )
        .prop_map(
            |((count, spacing, tilt, flipped), kernel, description, thick, kind, uid)| {
                let stack = Stack { count, spacing, tilt, flipped };
                made(&format!("1.{uid}"), stack.headers(), |slice| {
                    slice.convolution_kernel.clone_from(&kernel);
                    slice.series_description.clone_from(&description);
                    slice.slice_thickness = thick;
                    slice.image_type = typed(&[kind]);
                })
            },
        )
}

proptest! {
    #[test]
    fn one_series_is_chosen_whatever_the_order(
        (series, shuffled) in proptest::collection::vec(any_series(), 0..6)
            .prop_flat_map(|series| (Just(series.clone()), Just(series).prop_shuffle())),
    ) {
        let describe = |series: &[Series]| {
            let choices = choose_series(series);
            assert_eq!(choices.len(), series.len());
            let chosen = choices.iter().filter(|choice| **choice == SeriesChoice::Chosen).count();
            let readable = choices.iter().any(|choice| {
                matches!(choice, SeriesChoice::Chosen | SeriesChoice::PassedOver { .. })
            });
            assert_eq!(chosen, usize::from(readable));
            let at = choices.iter().position(|choice| *choice == SeriesChoice::Chosen);
            at.map(|at| {
                let series = &series[at];
                (series.id().into_owned(), series.slices.len(), series.description.clone())
            })
        };
        let (first, second) = (describe(&series), describe(&shuffled));
        // Series that no rule tells apart share their UID and their number of slices.
        let key = |chosen: Option<(String, usize, Option<String>)>| chosen.map(|it| (it.0, it.1));
        prop_assert_eq!(key(first), key(second));
    }
}
