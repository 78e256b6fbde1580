//! `hemora-train gather` on small sets of every kind, and what it refuses.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use hemora_synth::{PhantomOptions, write_dataset};
use serde_json::Value;

use crate::support::{refusal, succeed, text};

const LABELS: &str = "sop,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";

fn write_png(path: &Path, side: u32, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

/// Side, channels and bytes of a PNG.
fn read_png(path: &Path) -> (u32, usize, Vec<u8>) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.color_type.samples(), pixels)
}

fn folder(parent: &Path, name: &str) -> std::path::PathBuf {
    let path = parent.join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn competition(path: &Path, rows: &[(&str, [u8; 6])]) {
    let names =
        ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"];
    let mut table = "ID,Label\n".to_owned();
    for (id, labels) in rows {
        for (name, label) in names.iter().zip(labels) {
            table += &format!("{id}_{name},{label}\n");
        }
    }
    std::fs::write(path, table).unwrap();
}

/// One set of each kind in `parent`; returns the flags.
fn write_sets(parent: &Path) -> Vec<String> {
    let png = folder(parent, "png");
    for id in ["ID_a", "ID_b", "ID_unlabelled"] {
        write_png(&png.join(format!("{id}.png")), 64, &[100; 64 * 64]);
    }
    std::fs::write(png.join("ID_c.png"), "no picture").unwrap();
    let rows = [("ID_a", [0, 1, 0, 0, 1, 1]), ("ID_b", [0, 0, 0, 0, 0, 0]), ("ID_c", [0; 6])];
    competition(&parent.join("png.csv"), &rows);
    std::fs::write(parent.join("patients.csv"), "sop,patient,slice\nID_a,P1,3\n").unwrap();
    let masks = folder(parent, "masks");
    let mut mask = [0; 64 * 64];
    mask[64 * 10 + 20] = 255;
    write_png(&masks.join("ID_a.png"), 64, &mask);
    // What the labels contradict.
    write_png(&masks.join("ID_b.png"), 64, &mask);

    let phe = parent.join("phe");
    let phe_png = folder(&phe, "png");
    let rows = "ID_phe1,0,0,0,0,0,0\nID_phe2,,1,,,,1\n";
    std::fs::write(phe.join("labels.csv"), format!("{LABELS}{rows}")).unwrap();
    let slices = "sop,patient,z,boxes_x0_y0_x1_y1_in_288\n\
                  ID_phe1,PHE1,0,\nID_phe2,PHE1,1,100 50 120 60\n";
    std::fs::write(phe.join("slices.csv"), slices).unwrap();
    for id in ["ID_phe1", "ID_phe2"] {
        write_png(&phe_png.join(format!("{id}.png")), 288, &[109; 288 * 288]);
    }

    let mbh = parent.join("mbh");
    let (mbh_png, mbh_masks) = (folder(&mbh, "png"), folder(&mbh, "masks"));
    std::fs::write(mbh.join("info.csv"), "sop,patient,z\nID_mbh,MBH173,6\n").unwrap();
    write_png(&mbh_png.join("ID_mbh.png"), 64, &[40; 64 * 64]);
    let mut types = [0; 64 * 64];
    (types[0], types[1]) = (1, 5);
    write_png(&mbh_masks.join("ID_mbh.png"), 64, &types);

    let options = PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default() };
    let dicom = parent.join("dicom");
    write_dataset(&dicom, 5, 2, &options.with_size(32), &|_, _| ()).unwrap();
    let at = |name: &str| parent.join(name).display().to_string();
    [
        ("--rsna-png", at("png")),
        ("--rsna-labels", at("png.csv")),
        ("--rsna-patients", at("patients.csv")),
        ("--masks", at("masks")),
        ("--phe-sich", at("phe")),
        ("--mbh-seg", at("mbh")),
        ("--dicom", at("dicom/stage_2_train")),
        ("--dicom-labels", at("dicom/stage_2_train.csv")),
    ]
    .map(|(flag, value)| format!("{flag}={value}"))
    .to_vec()
}

fn gather(flags: &[String], out: &Path) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    program.arg("gather").args(flags).arg("--out").arg(out).output().unwrap()
}

fn rows(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| line.split_once(',').map(|(id, rest)| (id.into(), rest.into()));
    text.lines().skip(1).filter_map(row).collect()
}

/// Every file below a folder, by its path in there.
fn contents(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let inside = contents(&path).into_iter();
            found.extend(inside.map(|(name, bytes)| (path.join(name), bytes)));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found.into_iter().map(|(path, it)| (path.strip_prefix(folder).unwrap().into(), it)).collect()
}

#[test]
fn sets_of_every_kind_become_one_folder() {
    let root = tempfile::tempdir().unwrap();
    let flags = write_sets(root.path());
    let out = root.path().join("out");
    let output = gather(&flags, &out);
    succeed(&output);

    let labels = rows(&out.join("labels.csv"));
    assert_eq!(labels["ID_a"], "0,1,0,0,1,1");
    assert_eq!(labels["ID_phe2"], ",1,,,,1");
    // The mask's labels, of which the doubtful one is not known.
    assert_eq!(labels["ID_mbh"], ",0,0,0,1,1");
    assert!(!labels.contains_key("ID_c") && !labels.contains_key("ID_unlabelled"));
    let patients = rows(&out.join("patients.csv"));
    assert_eq!(patients["ID_a"], "\"rsna:PatientID=P1\"");
    assert_eq!(patients["ID_b"], "\"rsna:image=ID_b\"");
    assert_eq!(patients["ID_phe2"], "\"phe-sich:PHE1\"");
    let sets = rows(&out.join("sets.csv"));
    assert_eq!((&*sets["ID_a"], &*sets["ID_b"]), ("rsna-png,1,3", "rsna-png,1,"));
    assert_eq!((&*sets["ID_phe2"], &*sets["ID_mbh"]), ("phe-sich,0.7,1", "mbh-seg,1,6"));
    let dicom: Vec<&String> =
        sets.keys().filter(|id| sets[*id].starts_with("rsna-dicom,1,")).collect();
    assert!(dicom.len() >= 2 && patients[dicom[0]].contains("PatientID="), "{sets:?}");

    // The same brain in all: 31.4 HU are 100 of 255, PHE-SICH's 109 is 39.8 HU, MBH-Seg25's 40 is 40.
    for (id, side, grey) in [("ID_a", 64, 100), ("ID_phe1", 288, 127), ("ID_mbh", 64, 128)] {
        let (found, channels, pixels) = read_png(&out.join(format!("images/{id}.png")));
        assert_eq!((found, channels, pixels[0]), (side, 1, grey), "{id}");
    }
    let annotated = |id: &str| read_png(&out.join(format!("annotations/{id}.png")));
    let (side, channels, pixels) = annotated("ID_a");
    assert_eq!((side, channels), (64, 3));
    assert_eq!(pixels[3 * (64 * 10 + 20)..][..3], [2 | 32, 16, 0]);
    assert_eq!(pixels[..3], [0, 16 | 32, 0]);
    let (_, _, pixels) = annotated("ID_phe2");
    assert_eq!(pixels[3 * (288 * 55 + 110)..][..3], [0, 63, 0]);
    assert_eq!(annotated("ID_mbh").2[..6], [0, 1 | 32, 0, 16 | 32, 0, 0]);
    for id in ["ID_b", "ID_phe1"] {
        assert!(!out.join(format!("annotations/{id}.png")).exists(), "{id}");
    }

    let report: Value =
        serde_json::from_slice(&std::fs::read(out.join("gather.json")).unwrap()).unwrap();
    let png = &report["sets"]["rsna-png"];
    assert_eq!((&png["slices"], &png["annotated"]), (&2.into(), &1.into()));
    let left: Vec<&Value> = png["left_out"].as_object().unwrap().values().collect();
    assert_eq!(left.iter().map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), 2);
    assert_eq!(png["annotations_left_out"].as_object().unwrap().len(), 1);
    let phe = &report["sets"]["phe-sich"]["labels"]["epidural"];
    assert_eq!((&phe["positive"], &phe["unknown"]), (&0.into(), &1.into()));
    assert!(text(&output).contains("ID_c first"), "{}", text(&output));

    let again = root.path().join("again");
    succeed(&gather(&flags, &again));
    assert!(contents(&out) == contents(&again), "the same inputs gave other bytes");
    assert!(refusal(&gather(&flags, &out)).contains("notempty"));
}

#[test]
fn larger_pictures_shrink_with_their_annotations() {
    let root = tempfile::tempdir().unwrap();
    let flags = write_sets(root.path());
    let out = root.path().join("out");
    succeed(&gather(&[flags[4].clone(), "--size=144".to_owned()], &out));
    assert_eq!(read_png(&out.join("images/ID_phe2.png")).0, 144);
    let (side, _, pixels) = read_png(&out.join("annotations/ID_phe2.png"));
    assert_eq!(side, 144);
    let unknown = |row: usize, column: usize| pixels[3 * (144 * row + column) + 1];
    assert_eq!(unknown(25, 50), 63);
    assert_eq!((unknown(25, 49), unknown(24, 50), unknown(31, 50)), (61, 61, 61));
    assert_eq!(unknown(18, 50), 29);
}

#[test]
fn wrong_inputs_are_named() {
    let root = tempfile::tempdir().unwrap();
    let flags = write_sets(root.path());
    let out = root.path().join("out");
    assert!(refusal(&gather(&[], &out)).contains("nosettogather"));
    let unpaired = [&flags[6..], &flags[6..7]].concat();
    assert!(refusal(&gather(&unpaired, &out)).contains("2--dicomand1--dicom-labels"));
    let slices = root.path().join("phe/slices.csv");
    std::fs::write(&slices, "sop,patient,z,boxes_x0_y0_x1_y1_in_288\nID_phe2,P,1,9 9 8 300\n")
        .unwrap();
    let message = refusal(&gather(&flags[4..5], &out));
    assert!(message.contains("slices.csv:line2") && message.contains("`998300`"), "{message}");
    std::fs::write(root.path().join("mbh/masks/ID_mbh.png"), "").unwrap();
    let message = refusal(&gather(&flags[5..6], &out));
    assert!(message.contains("nosliceofmbh-seg") && message.contains("mask"), "{message}");
}
