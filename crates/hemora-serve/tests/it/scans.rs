//! Small series stored in every way that scanners store them, with marks whose place in the patient is known,
//! and answers of a node as bytes.

use std::io::Read;

use flate2::read::GzDecoder;
use hemora_ct::{ImagePlane, Plane, Slice};
use hemora_dimse::Object;
use hemora_io::{NewSlice, PixelStorage, read_png, write_slice};
use serde_json::Value;

use crate::node::Running;

/// Rows and columns of the stored images.
pub const SIZE: [usize; 2] = [96, 128];
/// Distance between rows and between columns, mm.
pub const SPACING: [f64; 2] = [2.5, 2.0];
/// Distance between slices, mm.
pub const STEP: f64 = 6.0;
/// Where the marks lie, mm to the left and to the back: one in front on the patient's left, one at the back on
/// the right.
pub const MARKS: [[f64; 2]; 2] = [[60.0, -50.0], [-40.0, 70.0]];

/// How a series is stored.
#[derive(Debug, Clone, Copy)]
pub struct Stored {
    /// ImageOrientationPatient.
    pub orientation: [f64; 6],
    /// Number of the series, in all of its UIDs.
    pub number: usize,
}

impl Stored {
    pub fn study(self) -> String {
        format!("1.2.99.{}", self.number)
    }

    /// The images of a head of so many slices, from the feet to the head, as PS3.3 C.7.6.2.1.1 says where each
    /// stored pixel lies.
    pub fn images(self, count: usize) -> Vec<Object> {
        (0..count).map(|index| self.image(index, true)).collect()
    }

    /// One of many thin images: 0.2 mm apart.
    pub fn thin(self, index: usize) -> Object {
        self.at(index, index as f64 * 0.2, true)
    }

    /// One of them; `placed` says whether the file tells its place.
    pub fn image(self, index: usize, placed: bool) -> Object {
        self.at(index, index as f64 * STEP, placed)
    }

    fn at(self, index: usize, height: f64, placed: bool) -> Object {
        let [a, b, c, d, e, f] = self.orientation;
        let (row, column) = ([a, b, c], [d, e, f]);
        let table = [0.0, 0.0, height];
        let half = [SIZE[0], SIZE[1]].map(|side| (side - 1) as f64 / 2.0);
        let along = |axis: usize, down: f64, across: f64| {
            column[axis] * SPACING[0] * down + row[axis] * SPACING[1] * across
        };
        let position = [0, 1, 2].map(|axis| table[axis] - along(axis, half[0], half[1]));
        let mut hu = Vec::with_capacity(SIZE[0] * SIZE[1]);
        for down in 0..SIZE[0] {
            hu.extend((0..SIZE[1]).map(|across| {
                let place =
                    [0, 1].map(|axis| position[axis] + along(axis, down as f64, across as f64));
                head(place, index)
            }));
        }
        let plane = ImagePlane::new(position, self.orientation, Some(SPACING)).unwrap();
        let slice = Slice::new(SIZE[0], SIZE[1], hu, placed.then_some(plane)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.dcm");
        let study = self.study();
        let [series, sop] = [format!("{study}.1"), format!("{study}.1.{}", index + 1)];
        let new = NewSlice {
            sop_instance_uid: &sop,
            series_instance_uid: &series,
            study_instance_uid: &study,
            patient_id: &format!("P{}", self.number),
            series_description: "head <b>5 mm</b>",
            // Counted downwards, as some scanners do.
            instance_number: 1000 - i32::try_from(index).unwrap(),
            storage: PixelStorage::Signed16 { intercept: 0 },
            slice: &slice,
        };
        write_slice(&path, &new).unwrap();
        Object::from_part10(&std::fs::read(&path).unwrap()).unwrap()
    }
}

/// HU of a head, mm to the left and to the back, on a slice: skull, brain, and the marks, of which the first
/// is brighter the higher the slice lies.
fn head([left, back]: [f64; 2], index: usize) -> f32 {
    let near = |[x, y]: [f64; 2]| (left - x).abs() <= 6.0 && (back - y).abs() <= 6.0;
    if near(MARKS[0]) {
        return 2000.0 + index as f32;
    }
    if near(MARKS[1]) {
        return 1800.0;
    }
    let distance = ((left / 75.0).powi(2) + (back / 90.0).powi(2)).sqrt();
    match distance {
        distance if distance < 0.9 => 35.0,
        distance if distance < 1.0 => 1000.0,
        _ => -1000.0,
    }
}

/// An answer of a node.
pub struct Fetched {
    pub status: u16,
    headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Fetched {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Rows, columns and HU of an answer with the pixels of a slice.
    pub fn pixels(&self) -> (usize, usize, Vec<i16>) {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        let number = |name: &str| self.header(name).parse().unwrap();
        let (rows, columns) = (number("hemora-rows"), number("hemora-columns"));
        let values: Vec<i16> =
            self.body.chunks_exact(2).map(|it| i16::from_le_bytes([it[0], it[1]])).collect();
        assert_eq!(values.len(), rows * columns);
        (rows, columns, values)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Asks a node, by itself or from afar for an answer in gzip, which is inflated here.
pub fn fetch(running: &Running, path: &str, gzip: bool) -> Fetched {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(format!("http://{}/api/v1{path}", running.node().http()));
    if gzip {
        // As a proxy hands it on: at this machine pixels are not packed.
        request = request.header("accept-encoding", "gzip").header("x-forwarded-for", "10.1.2.3");
    }
    let mut response = request.call().unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let packed = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
    let body = match headers.get("content-encoding").is_some_and(|value| value == "gzip") {
        true => {
            assert!(gzip, "{path}: gzip was not asked for");
            inflated(&packed)
        }
        false => packed,
    };
    Fetched { status, headers, body }
}

pub fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A PNG as values from 0 to 1.
pub fn png(file: &[u8]) -> Plane {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    std::fs::write(&path, file).unwrap();
    read_png(&path).unwrap()
}

/// Waits until every study is scored.
pub fn scored(running: &Running, studies: usize) -> Vec<Value> {
    running.wait_for("scored", |list| {
        list.len() == studies && list.iter().all(|study| study["class"].is_string())
    })
}
