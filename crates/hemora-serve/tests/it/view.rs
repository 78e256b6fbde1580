//! What readers see of a study: its sides, its pixels, and what there is when something is missing.

use hemora_ct::Window;
use serde_json::Value;

use crate::node::{Running, phantom};
use crate::scans::{MARKS, SIZE, SPACING, STEP, Stored, fetch, inflated, png, scored};

const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// Mean row and column of the pixels that are wanted.
fn centre(
    (rows, columns, values): &(usize, usize, Vec<i16>),
    wanted: impl Fn(i16) -> bool,
) -> [f64; 2] {
    let (mut sums, mut count) = ([0.0, 0.0], 0.0);
    for at in (0..rows * columns).filter(|&at| wanted(values[at])) {
        sums[0] += (at / columns) as f64;
        sums[1] += (at % columns) as f64;
        count += 1.0;
    }
    assert!(count > 0.0, "no such pixel");
    sums.map(|sum| sum / count)
}

#[test]
fn sides_are_right_however_images_are_stored() {
    let (sin, cos) = 20f64.to_radians().sin_cos();
    let orientations = [
        AXIAL,
        // Feet first, as looked at from the head.
        [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        // Prone.
        [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0],
        // Upside down.
        [1.0, 0.0, 0.0, 0.0, -1.0, 0.0],
        // Rows and columns have changed places, and that turned.
        [0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, -1.0, 0.0, 1.0, 0.0, 0.0],
        // A tilted gantry, supine and turned over.
        [1.0, 0.0, 0.0, 0.0, cos, -sin],
        [-1.0, 0.0, 0.0, 0.0, -cos, -sin],
    ];
    let running = Running::start("");
    let stored = |number| Stored { orientation: orientations[number], number };
    for number in 0..orientations.len() {
        let mut images = stored(number).images(5);
        if number % 2 == 1 {
            images.reverse();
        }
        running.send(&images);
    }
    scored(&running, orientations.len());
    for (number, orientation) in orientations.into_iter().enumerate() {
        let study = format!("/studies/{}", stored(number).study());
        let view = fetch(&running, &format!("{study}/view"), number % 2 == 0).json();
        let [series] = view["series"].as_array().unwrap().as_slice() else { panic!("{view:#}") };
        assert_eq!(series["no_volume"], Value::Null, "{orientation:?}: {series:#}");
        assert_eq!(series["description"], "head <b>5 mm</b>", "data, which the page escapes");
        let slices = series["slices"].as_array().unwrap();
        assert_eq!(slices.len(), 5);
        let shift = series["shift"].as_array().map(|it| it[0].as_f64().unwrap());
        let is_tilted = orientation[5] != 0.0;
        assert_eq!(shift.is_some(), is_tilted, "{orientation:?}: {:?}", series["shift"]);
        for (index, slice) in slices.iter().enumerate() {
            assert_eq!(slice["edges"], serde_json::json!(["R", "L", "A", "P"]), "{orientation:?}");
            let z = slice["z_mm"].as_f64().unwrap();
            let below = slices[index.saturating_sub(1)]["z_mm"].as_f64().unwrap();
            let step = if is_tilted { STEP * cos } else { STEP };
            let expected = if index == 0 { 0.0 } else { step };
            assert!((z - below - expected).abs() < 1e-3, "{orientation:?}: {below} to {z}");
            let address = format!("{study}/series/0/slices/{index}");
            let pixels = fetch(&running, &address, index % 2 == 0).pixels();
            let size = [&slice["rows"], &slice["columns"]].map(|it| it.as_u64().unwrap() as usize);
            assert_eq!([pixels.0, pixels.1], size);
            // The brightness of the mark says which slice it is.
            let highest = pixels.2.iter().copied().max().unwrap();
            assert_eq!(highest, 2000 + i16::try_from(index).unwrap(), "{orientation:?}");
            let front_left = centre(&pixels, |hu| hu >= 2000);
            let back_right = centre(&pixels, |hu| hu == 1800);
            let middle = size.map(|side| (side - 1) as f64 / 2.0);
            // L is at the right edge and A at the top.
            assert!(front_left[1] > middle[1] && front_left[0] < middle[0], "{orientation:?}");
            assert!(back_right[1] < middle[1] && back_right[0] > middle[0], "{orientation:?}");
            let spacing = slice["spacing_mm"].as_array().unwrap();
            let [down, across] = [0, 1].map(|axis| {
                (front_left[axis] - back_right[axis]) * spacing[axis].as_f64().unwrap()
            });
            assert!(
                (across - (MARKS[0][0] - MARKS[1][0])).abs() < 3.0,
                "{orientation:?}: {across}"
            );
            let height = (MARKS[0][1] - MARKS[1][1]) / if is_tilted { cos } else { 1.0 };
            assert!((down - height).abs() < 3.5, "{orientation:?}: {down} {height}");
        }
        the_volume_lies_where_the_patient_does(&running, &study, orientation);
    }
}

/// The mark of the highest slice is where it is in the patient, by the matrix of the file (nifti1.h).
fn the_volume_lies_where_the_patient_does(running: &Running, study: &str, stored: [f64; 6]) {
    let answer = fetch(running, &format!("{study}/series/0/volume.nii.gz"), false);
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/gzip"));
    let file = inflated(&answer.body);
    let short = |at: usize| i16::from_le_bytes([file[at], file[at + 1]]);
    let real = |at: usize| f64::from(f32::from_le_bytes(file[at..at + 4].try_into().unwrap()));
    assert_eq!([short(40), short(70), short(72)], [3, 4, 16], "16-bit integers");
    let size = [short(42), short(44), short(46)].map(|it| it as usize);
    assert_eq!(size, [SIZE[1], SIZE[0], 5]);
    let voxels: Vec<i16> =
        file[352..].chunks_exact(2).map(|it| i16::from_le_bytes([it[0], it[1]])).collect();
    assert_eq!(voxels.len(), size.iter().product::<usize>());
    let marked: Vec<usize> = (0..voxels.len()).filter(|&at| voxels[at] == 2004).collect();
    let place = |at: usize| {
        let voxel = [at % size[0], at / size[0] % size[1], at / size[0] / size[1], 1];
        [0, 1, 2].map(|row| {
            (0..4)
                .map(|column| real(280 + 16 * row + 4 * column) * voxel[column] as f64)
                .sum::<f64>()
        })
    };
    let mut mean = [0.0; 3];
    for &at in &marked {
        let place = place(at);
        (0..3).for_each(|axis| mean[axis] += place[axis] / marked.len() as f64);
    }
    // NIfTI counts to the right and to the front.
    assert!((mean[0] + MARKS[0][0]).abs() < SPACING[1], "{stored:?}: {mean:?}");
    assert!((mean[1] + MARKS[0][1]).abs() < SPACING[0], "{stored:?}: {mean:?}");
    let tilt = -stored[5] / stored[4].abs() * stored[4].signum();
    let height = 4.0 * STEP + MARKS[0][1] * if stored[5] == 0.0 { 0.0 } else { -tilt };
    assert!((mean[2] - height).abs() < 1.5, "{stored:?}: {mean:?} {height}");
}

#[test]
fn a_study_is_shown_with_its_pictures() {
    let running =
        Running::start("[score.thresholds]\nwho = \"N\"\nwhy = \"test\"\nany = [0.0, 0.0]\n");
    running.send(&phantom(21));
    let list = scored(&running, 1);
    let uid = list[0]["study_instance_uid"].as_str().unwrap();
    let key = &list[0]["key_slice"];
    let study = format!("/studies/{uid}");
    let view = fetch(&running, &format!("{study}/view"), true).json();
    assert_eq!((&view["revision"], &view["key_slices"][0]), (&Value::from(1), key));
    assert_eq!(view["findings"]["findings"][0]["label"], "any");
    assert_eq!(view["findings"]["findings"][0]["verdict"], "present");
    let sentence = view["findings"]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Intracranial hemorrhage: present"), "{sentence}");
    assert!(view["findings"]["thresholds"].as_str().unwrap().contains("set by N"));
    assert_eq!(view["images_removed"], false);
    let text = view.to_string();
    assert!(!text.contains("studies/"), "where files are is nobody's business");

    let [series, slice] = [&key["series"], &key["slice"]].map(|it| it.as_u64().unwrap());
    let address = format!("{study}/series/{series}/slices/{slice}");
    let pixels = fetch(&running, &address, false);
    let afar = fetch(&running, &address, true);
    assert_eq!(pixels.body, afar.body);
    assert_eq!((pixels.header("content-encoding"), afar.header("content-encoding")), ("", "gzip"));
    let (rows, columns, values) = pixels.pixels();
    assert_eq!((rows, columns), (128, 128));
    for (name, window) in [
        ("", Window::BRAIN),
        ("?window=subdural", Window::SUBDURAL),
        ("?window=stroke", Window { level: 40.0, width: 40.0 }),
        ("?window=bone", Window::BONE),
        ("?window=soft", Window::SOFT),
    ] {
        let picture = fetch(&running, &format!("{address}/picture{name}"), false);
        assert_eq!(picture.header("content-type"), "image/png");
        let drawn = png(&picture.body);
        assert_eq!((drawn.rows, drawn.columns), (rows, columns));
        for (grey, hu) in drawn.values.iter().zip(&values) {
            let expected = f32::from(window.to_grey(f32::from(*hu))) / 255.0;
            assert!((grey - expected).abs() < 1e-6, "{name}: {hu} HU is {grey}, not {expected}");
        }
    }
    let (low, narrow, small) = fetch(&running, &format!("{address}?side=32"), true).pixels();
    assert_eq!((low, narrow), (32, 32));
    let corner = (0..16).map(|at| i32::from(values[at / 4 * 128 + at % 4])).sum::<i32>();
    assert!((f64::from(small[0]) - f64::from(corner) / 16.0).abs() <= 0.5);

    let thumbnail = fetch(&running, &format!("{study}/thumbnail"), false);
    let drawn = png(&thumbnail.body);
    assert_eq!(drawn.rows.max(drawn.columns), 128);
    let maps = fetch(&running, &format!("{study}/maps"), false);
    assert_eq!(maps.body, fetch(&running, &format!("{study}/maps"), true).body);
    let of_key = &maps.json()["series"][series as usize][slice.to_string()];
    assert_eq!(of_key[0]["label"], "any", "{of_key:#}");
    let kind = of_key[0]["kind"].as_str().unwrap();
    assert!(["probability", "activation"].contains(&kind), "{kind}");

    let status = |path: &str| fetch(&running, &format!("{study}{path}"), false).status;
    assert_eq!(status("/view?revision=1"), 200);
    assert_eq!(status("/view?revision=2"), 404);
    assert_eq!(status("/series/0/slices/9999"), 404);
    assert_eq!(status("/series/9/slices/0"), 404);
    assert_eq!(status("/series/9/volume.nii.gz"), 404);
    assert_eq!(status("/series/-1/slices/0"), 400);
    assert_eq!(status("/series/0/slices/0?side=8"), 400);
    assert_eq!(status("/series/0/slices/0?side=2000"), 400);
    assert_eq!(status("/series/0/slices/0/picture?window=lung"), 400);
    assert_eq!(fetch(&running, "/studies/1.2.3/view", false).status, 404);
    assert_eq!(fetch(&running, "/studies/1.2.3/series/0/slices/0", false).status, 404);

    assert_eq!(status("/series/0/volume.nii.gz"), 200);
    let audit = running.get(&format!("/audit?study={uid}"));
    let kinds = |what: &str| {
        let rows = audit["rows"].as_array().unwrap().iter();
        rows.filter(|row| row["what"] == what).count()
    };
    assert_eq!((kinds("looked at"), kinds("fetched"), kinds("exported")), (1, 0, 1), "{audit:#}");
    let readings = running.get(&format!("{study}/view"))["readings"].clone();
    assert_eq!(readings.as_array().unwrap().len(), 1);
    assert_eq!(readings[0]["event"], "opened");
}

#[test]
fn a_study_that_goes_while_it_is_open_is_said_to_be_gone() {
    let running = Running::start("");
    let images = Stored { orientation: AXIAL, number: 50 }.images(4);
    running.send(&images);
    scored(&running, 1);
    let study = "/studies/1.2.99.50";
    let address = format!("{study}/series/0/slices/0");
    assert_eq!(fetch(&running, &address, false).status, 200);
    // As if the images had been removed because their time had come, all but the database.
    let folder = running.config.node.data.join("studies");
    let away = running.config.node.data.join("away");
    std::fs::rename(&folder, &away).unwrap();
    for path in ["/series/0/slices/0", "/series/0/slices/0/picture", "/series/0/volume.nii.gz"] {
        let gone = fetch(&running, &format!("{study}{path}"), false);
        assert_eq!(gone.status, 410, "{path}");
        let error = gone.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains("Send it again"), "{error}");
    }
    assert_eq!(fetch(&running, &format!("{study}/view"), false).status, 200);
    std::fs::rename(&away, &folder).unwrap();
    hemora_serve::forget(&running.config, "P50", "test").unwrap();
    for path in ["", "/view", "/maps", "/thumbnail", "/series/0/slices/0", "/result"] {
        assert_eq!(fetch(&running, &format!("{study}{path}"), false).status, 404, "{path}");
    }
    let shown = serde_json::json!({ "revision": 1 });
    assert_eq!(running.post(&format!("{study}/acknowledge"), &shown, true), 404);
}

#[test]
fn few_slices_and_missing_positions_are_shown_with_the_reason() {
    let running = Running::start("");
    let one = Stored { orientation: AXIAL, number: 60 };
    running.send(&one.images(1));
    let placeless = Stored { orientation: AXIAL, number: 61 };
    let images: Vec<_> = (0..5).map(|index| placeless.image(index, false)).collect();
    running.send(&images);
    scored(&running, 2);
    let view = running.get(&format!("/studies/{}/view", one.study()));
    assert_eq!(view["series"][0]["slices"].as_array().unwrap().len(), 1, "{view:#}");
    assert_eq!(view["series"][0]["no_volume"], "it has only 1 slice");
    let volume =
        fetch(&running, &format!("/studies/{}/series/0/volume.nii.gz", one.study()), false);
    assert_eq!(volume.status, 200, "one slice is a volume of one");
    let view = running.get(&format!("/studies/{}/view", placeless.study()));
    let series = &view["series"][0];
    assert!(series["no_volume"].as_str().unwrap().contains("position"), "{series:#}");
    assert_eq!(series["slices"][0]["z_mm"], Value::Null);
    assert_eq!(series["slices"][0]["edges"], Value::Null, "nobody knows which side is which");
    let address = format!("/studies/{}/series/0", placeless.study());
    assert_eq!(fetch(&running, &format!("{address}/slices/4"), true).pixels().0, SIZE[0]);
    let refused = fetch(&running, &format!("{address}/volume.nii.gz"), false);
    assert_eq!(refused.status, 409);
    assert!(refused.json()["error"].as_str().unwrap().contains("position"));
}

#[test]
fn a_study_without_a_result_is_shown_as_it_is() {
    let running = Running::start("");
    let mut images = Stored { orientation: AXIAL, number: 70 }.images(2);
    for image in &mut images {
        let from = b"ORIGINAL\\PRIMARY\\AXIAL";
        let at = image.data_set.windows(from.len()).position(|it| it == from).unwrap();
        image.data_set[at..at + from.len()].copy_from_slice(b"ORIGINAL\\X\\LOCALIZER  ");
    }
    running.send(&images);
    scored(&running, 1);
    let view = running.get("/studies/1.2.99.70/view");
    assert_eq!((&view["findings"], &view["series"]), (&Value::Null, &serde_json::json!([])));
    assert_eq!(view["left_out"][0]["images"], 2, "{view:#}");
    assert!(view["left_out"][0]["reason"].as_str().unwrap().contains("localizer"));
    assert_eq!(fetch(&running, "/studies/1.2.99.70/series/0/slices/0", false).status, 404);
    assert_eq!(fetch(&running, "/studies/1.2.99.70/thumbnail", false).status, 404);
}

#[test]
fn a_thousand_slices_are_shown_by_short_documents() {
    let running = Running::start("");
    let stored = Stored { orientation: AXIAL, number: 75 };
    for part in 0..10 {
        let images: Vec<_> = (part * 100..(part + 1) * 100).map(|at| stored.thin(at)).collect();
        running.send(&images);
    }
    running.wait_for("scored whole", |list| {
        // While images of a later part are not settled, an earlier revision may have a result already.
        list.first().is_some_and(|it| it["state"] == "scored" && it["images"] == 1000)
            && list[0]["revision"] == list[0]["result_revision"]
    });
    let study = format!("/studies/{}", stored.study());
    let view = fetch(&running, &format!("{study}/view"), false);
    let maps = fetch(&running, &format!("{study}/maps"), false);
    for (name, document) in [("view", &view), ("maps", &maps)] {
        let length = document.body.len();
        assert!(length < 1_500_000, "{name}: {length} bytes");
    }
    let series = view.json()["series"][0].clone();
    assert_eq!(series["slices"].as_array().unwrap().len(), 1000);
    assert_eq!(series["no_volume"], Value::Null);
    let address = format!("{study}/series/0/slices/999?side=16");
    assert_eq!(fetch(&running, &address, true).pixels().1, 16);
    let volume = fetch(&running, &format!("{study}/series/0/volume.nii.gz"), false);
    let file = inflated(&volume.body);
    assert_eq!(file.len(), 352 + 1000 * 2 * SIZE[0] * SIZE[1]);
}
