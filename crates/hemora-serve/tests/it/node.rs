//! A node from images to answers, with peers that fail first.

use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hemora_dimse::{AeTitle, Destination, Object, Timeouts};
use hemora_infer::{EngineKind, LoadedModel};
use hemora_io::PixelStorage;
use hemora_model::Bundle;
use hemora_serve::{Config, Node};
use hemora_synth::{HeadPhantom, PhantomOptions, StudyIds, write_study};
use serde_json::Value;

use crate::peers::{Archive, Ris, Web};

const SR: &str = "1.2.840.10008.5.1.4.1.1.88.34";
const SC: &str = "1.2.840.10008.5.1.4.1.1.7";
const KEY_OBJECTS: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// The built-in model.
pub fn model() -> Result<LoadedModel, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default.hemora");
    let bundle = Bundle::open(&path).map_err(|error| error.to_string())?;
    LoadedModel::load(EngineKind::Tract, bundle, None).map_err(|error| error.to_string())
}

/// The images of a phantom, as they are sent.
pub fn phantom(seed: u64) -> Vec<Object> {
    let folder = tempfile::tempdir().unwrap();
    let options = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
    let study = HeadPhantom::new(seed, options.with_size(128)).unwrap().render();
    let ids = StudyIds::from_seed(seed, study.slices.len());
    let storage = PixelStorage::Signed16 { intercept: -1024 };
    let files = write_study(folder.path(), &study, &ids, storage).unwrap();
    files.iter().map(|file| Object::from_part10(&std::fs::read(file).unwrap()).unwrap()).collect()
}

/// Makes an image one that is never scored.
fn make_localizer(image: &mut Object) {
    let from = b"ORIGINAL\\PRIMARY\\AXIAL";
    let at = image.data_set.windows(from.len()).position(|it| it == from).unwrap();
    image.data_set[at..at + from.len()].copy_from_slice(b"ORIGINAL\\X\\LOCALIZER  ");
}

/// A node without a login.
pub struct Running {
    node: Option<Node>,
    pub config: Config,
    _folder: tempfile::TempDir,
}

impl Running {
    pub fn start(destinations: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[node]\ndata = {:?}\nresearch_protocol = \"test\"\n\
             [dicom]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\nlogin = false\n\
             [settle]\nquiet = \"300ms\"\n[keep]\nreserve = \"1MiB\"\n{destinations}",
            folder.path().join("data").display().to_string(),
        );
        let config = Config::parse(&text).unwrap();
        let node = Node::start(config.clone(), model).unwrap();
        Self { node: Some(node), config, _folder: folder }
    }

    pub fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    fn restart(&mut self) {
        self.node.take().unwrap().stop();
        self.node = Some(Node::start(self.config.clone(), model).unwrap());
    }

    pub fn dicom(&self) -> Destination {
        let ae = |name: &str| name.parse::<AeTitle>().unwrap();
        Destination {
            ae: ae("HEMORA"),
            host: self.node().dicom().to_string(),
            calling: ae("CT1"),
            timeouts: Timeouts::default(),
        }
    }

    pub fn send(&self, images: &[Object]) {
        let statuses = hemora_dimse::store(&self.dicom(), images).unwrap();
        assert!(statuses.iter().all(|status| status.outcome.is_stored()), "{statuses:?}");
    }

    pub fn get(&self, path: &str) -> Value {
        let url = format!("http://{}/api/v1{path}", self.node().http());
        let mut response = ureq::get(&url).call().unwrap();
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    pub fn post(&self, path: &str, body: &Value, meant: bool) -> u16 {
        let url = format!("http://{}/api/v1{path}", self.node().http());
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(&url).header("content-type", "application/json");
        let request = if meant { request.header("x-hemora", "1") } else { request };
        request.send(body.to_string()).unwrap().status().as_u16()
    }

    /// Looks at the list until it is as wanted.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let list = self.get("/studies")["studies"].as_array().unwrap().clone();
            if wanted(&list) {
                return list;
            }
            assert!(Instant::now() < end, "{what}: {list:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_study_is_scored_ranked_and_answered_though_every_peer_fails_first() {
    let (archive, ris, web) = (Arc::new(Archive::default()), Arc::default(), Arc::default());
    let (_server, pacs) = archive.start();
    let (ris, web): (Arc<Ris>, Arc<Web>) = (ris, web);
    archive.refusals.store(1, Ordering::SeqCst);
    ris.errors.store(1, Ordering::SeqCst);
    let (hl7, http) = (ris.start(), web.start());
    let secrets = tempfile::tempdir().unwrap();
    let secret = secrets.path().join("secret");
    std::fs::write(&secret, "topsecret\n").unwrap();
    let running = Running::start(&format!(
        "[score.thresholds]\nwho = \"N\"\nwhy = \"test\"\nany = [0.0, 0.0]\n\
         [[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"{pacs}\"\n\
         commitment = true\n\
         [[destination]]\nname = \"RIS\"\nkind = \"hl7\"\nhost = \"{hl7}\"\n\
         [[destination]]\nname = \"chat\"\nkind = \"webhook\"\nurl = \"http://{http}/hook\"\n\
         secret_file = {:?}\n\
         [[destination]]\nname = \"FHIR\"\nkind = \"fhir\"\nurl = \"http://{http}/fhir\"\n",
        secret.display().to_string(),
    ));
    let images = phantom(11);
    running.send(&images);
    let list = running.wait_for("delivered", |list| {
        list.first().is_some_and(|study| study["state"] == "delivered")
    });
    let study = &list[0];
    assert_eq!(study["class"], "positive", "every probability reaches a threshold of 0");
    assert_eq!(study["images"], images.len());
    assert_eq!(study["revision"], 1);
    let uid = study["study_instance_uid"].as_str().unwrap();

    let result = running.get(&format!("/studies/{uid}/result"));
    assert_eq!(result["schema_version"], 1);
    assert_eq!(result["studies"][0]["study_instance_uid"], uid);
    let source = result["studies"][0]["series"][0]["slices"][0]["source"].as_str().unwrap();
    assert!(!source.starts_with('/'), "{source}");

    for class in [SR, SC, KEY_OBJECTS] {
        assert_eq!(archive.of_class(class).len(), 1, "{class}");
    }
    let messages = ris.messages.lock().unwrap().clone();
    assert_eq!(messages.len(), 2, "refused once, then sent again");
    assert_eq!(messages[0], messages[1], "the same bytes");
    let requests = web.requests.lock().unwrap();
    let to = |path: &str| requests.iter().filter(|(head, _)| head.contains(path)).count();
    assert_eq!((to("/hook"), to("/fhir")), (1, 1));
    let (head, body) = requests.iter().find(|(head, _)| head.contains("/hook")).unwrap();
    let signature = hemora_interop::sign(b"topsecret", body);
    assert!(head.to_ascii_lowercase().contains(&signature), "{head}");
    let deliveries = running.get(&format!("/studies/{uid}/deliveries"));
    let deliveries = deliveries.as_array().unwrap();
    assert_eq!(deliveries.len(), 6);
    assert!(deliveries.iter().all(|it| it["state"] == "delivered"), "{deliveries:#?}");
    assert_eq!(deliveries.iter().map(|it| it["failures"].as_u64().unwrap()).sum::<u64>(), 2);

    // Somebody wants the report to be sent again: it is the same object.
    let report = deliveries.iter().find(|it| it["kind"] == "structured report").unwrap();
    let retry = format!("/studies/{uid}/deliveries/{}/retry", report["id"]);
    let nothing = Value::Null;
    assert_eq!(running.post(&retry, &nothing, true), 200);
    assert_eq!(running.post(&format!("/studies/{uid}/deliveries/9999/retry"), &nothing, true), 404);
    running.wait_for("sent again", |_| archive.of_class(SR).len() == 2);
    let reports = archive.of_class(SR);
    assert_eq!(reports[0], reports[1]);
}

#[test]
fn late_images_make_a_revision_that_supersedes() {
    let archive = Arc::new(Archive::default());
    let (_server, pacs) = archive.start();
    let mut running = Running::start(&format!(
        "[[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"{pacs}\"\nsend = [\"sr\"]\n"
    ));
    let images = phantom(12);
    let (early, late) = images.split_at(images.len() - 3);
    running.send(early);
    let delivered = |revision: u32| {
        move |list: &[Value]| {
            list.first().is_some_and(|it| it["state"] == "delivered" && it["revision"] == revision)
        }
    };
    let list = running.wait_for("first revision", delivered(1));
    let uid = list[0]["study_instance_uid"].as_str().unwrap().to_owned();
    running.restart();
    running.send(late);
    // What is sent again changes nothing.
    running.send(early);
    running.wait_for("second revision", delivered(2));
    let revisions = running.get(&format!("/studies/{uid}/revisions"));
    let images_of = |index: usize| revisions[index]["images"].as_u64().unwrap() as usize;
    assert_eq!([images_of(0), images_of(1)], [early.len(), images.len()]);
    let reports = archive.of_class(SR);
    assert_eq!(reports.len(), 2);
    let [first, second] = [&reports[0], &reports[1]];
    let names = |report: &[u8], uid: &str| report.windows(uid.len()).any(|it| it == uid.as_bytes());
    assert!(names(&second.1, &first.0), "the second report names the first as its predecessor");
    assert!(!names(&first.1, &second.0));

    // Somebody wants it again.
    assert_eq!(running.post(&format!("/studies/{uid}/rescore"), &Value::Null, false), 403);
    assert_eq!(running.post(&format!("/studies/{uid}/rescore"), &Value::Null, true), 200);
    running.wait_for("third revision", delivered(3));
}

#[test]
fn a_report_names_no_predecessor_that_nobody_has() {
    let archive = Arc::new(Archive::default());
    let (_server, pacs) = archive.start();
    let running = Running::start(&format!(
        "[[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"{pacs}\"\nsend = [\"sr\"]\n"
    ));
    let mut images = phantom(17);
    let mut localizer = images.split_off(images.len() - 1);
    make_localizer(&mut localizer[0]);
    running.send(&localizer);
    running.wait_for("not scored", |list| {
        list.first().is_some_and(|study| study["state"] == "not scored")
    });
    running.send(&images);
    running.wait_for("delivered", |list| list.first().is_some_and(|it| it["state"] == "delivered"));
    let reports = archive.of_class(SR);
    let [(_, report)] = reports.as_slice() else { panic!("{} reports", reports.len()) };
    // PredecessorDocumentsSequence (0040,A360), explicit little endian.
    assert!(!report.windows(6).any(|it| it == b"\x40\x00\x60\xA3SQ"));
}

#[test]
fn what_is_no_head_is_not_scored_and_says_why() {
    let running = Running::start("");
    let mut images = phantom(13);
    images.truncate(2);
    images.iter_mut().for_each(make_localizer);
    running.send(&images);
    let list = running
        .wait_for("a result", |list| list.first().is_some_and(|study| study["class"].is_string()));
    assert_eq!(list[0]["class"], "not scored");
    assert!(list[0]["reason"].as_str().unwrap().contains("localizer"), "{}", list[0]);
    assert_eq!(list[0]["state"], "not scored");
}

#[test]
fn an_image_that_contradicts_its_command_is_not_taken() {
    let running = Running::start("");
    let mut images = phantom(14);
    images.truncate(1);
    images[0].sop_instance_uid = "1.2.3.4".to_owned();
    let statuses = hemora_dimse::store(&running.dicom(), &images).unwrap();
    let hemora_dimse::StoreOutcome::Failed(status, _) = &statuses[0].outcome else {
        panic!("{statuses:?}");
    };
    assert_eq!(*status, 0xA900);
    assert!(running.get("/studies")["studies"].as_array().unwrap().is_empty());
}

#[test]
fn two_nodes_do_not_share_a_data_folder() {
    let running = Running::start("");
    let error = Node::start(running.config.clone(), model).err().unwrap().to_string();
    assert!(error.contains("in use"), "{error}");
}

#[test]
fn requests_are_checked_before_they_are_answered() {
    let running = Running::start("");
    let status = |path: &str, host: &str| {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("http://{}{path}", running.node().http());
        agent.get(&url).header("host", host).call().unwrap().status().as_u16()
    };
    assert_eq!(status("/api/v1/studies", "localhost"), 200);
    assert_eq!(status("/api/v1/studies", "evil.example"), 421);
    assert_eq!(status("/api/v1/studies?limit=0", "localhost"), 400);
    assert_eq!(status("/api/v1/studies?limit=201", "localhost"), 400);
    assert_eq!(status("/api/v1/studies?sate=queued", "localhost"), 400);
    assert_eq!(status("/api/v1/studies?state=nowhere", "localhost"), 400);
    assert_eq!(status("/api/v1/studies?after=x", "localhost"), 400);
    assert_eq!(status("/api/v1/studies/1.2.3", "localhost"), 404);
    assert_eq!(status("/api/v2/studies", "localhost"), 404);
    assert_eq!(status("/live", "localhost"), 200);
    assert_eq!(status("/metrics", "localhost"), 200);
    assert_eq!(status("/", "localhost"), 200);
    let long = serde_json::json!({ "thresholds": null, "why": "x".repeat(70_000) });
    assert_eq!(running.post("/thresholds", &long, true), 413);
}

#[test]
fn a_template_that_cannot_be_used_is_named_before_the_first_result() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("ris.toml");
    let text = format!(
        "[node]\ndata = {:?}\n[dicom]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\nlogin = false\n\
         [[destination]]\nname = \"RIS\"\nkind = \"hl7\"\nhost = \"127.0.0.1:1\"\npriority = false\n\
         template = {:?}\n",
        folder.path().join("data").display().to_string(),
        template.display().to_string(),
    );
    let problem = || {
        let config = Config::parse(&text).unwrap();
        Node::start(config, model).err().map(|error| error.to_string())
    };
    assert!(problem().unwrap().contains("ris.toml"), "it is not there");
    std::fs::write(&template, "\"MSH-10\" = \"1\"\n").unwrap();
    let fixed = problem().unwrap();
    assert!(fixed.contains("ris.toml") && fixed.contains("MSH-10"), "{fixed}");
    std::fs::write(&template, "\"OBR-4\" = \"CTHEAD^CT head^L\"\n").unwrap();
    assert_eq!(problem(), None);
}

#[test]
fn events_say_that_the_list_changed() {
    let running = Running::start("");
    let mut stream = std::net::TcpStream::connect(running.node().http()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut events = std::io::BufReader::new(stream).lines().map_while(Result::ok);
    let mut next = || {
        events.by_ref().find(|line| line == "event: change").expect("a change");
        let number = events.by_ref().find_map(|line| line.strip_prefix("data: ")?.parse().ok());
        number.expect("a number")
    };
    let before: u64 = next();
    running.send(&phantom(16)[..1]);
    assert!(next() > before);
}

#[test]
fn a_body_without_end_is_ended() {
    let running = Running::start("");
    let send = |body: &[u8], length: &str| {
        let mut stream = std::net::TcpStream::connect(running.node().http()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "POST /api/v1/thresholds HTTP/1.1\r\nhost: localhost\r\nx-hemora: 1\r\n\
             content-type: application/json\r\n{length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The node may have answered and closed before everything is sent.
        let _ = stream.write_all(body);
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    };
    assert_eq!(send(b"{\"who\"", "content-length: 100"), "HTTP/1.1 408");
    let endless = b"400\r\n".iter().copied().chain([b' '; 1024]).chain(*b"\r\n");
    let endless: Vec<u8> = endless.collect::<Vec<u8>>().repeat(70);
    assert_eq!(send(&endless, "transfer-encoding: chunked"), "HTTP/1.1 413");
    assert!(running.get("/studies")["studies"].as_array().unwrap().is_empty(), "others go on");
}

#[test]
fn thresholds_change_with_a_name_and_hold_for_what_is_scored_next() {
    let running = Running::start("");
    let set = |any: [f64; 2], who: &str| {
        let thresholds = serde_json::json!({ "who": who, "why": "because", "any": any });
        running.post("/thresholds", &serde_json::json!({ "thresholds": thresholds }), true)
    };
    assert_eq!(set([0.6, 0.2], "N"), 400);
    assert_eq!(set([0.2, 0.6], ""), 400);
    assert_eq!(set([0.0, 0.0], "N"), 200);
    let now = running.get("/thresholds");
    assert_eq!(now["thresholds"]["any"], serde_json::json!([0.0, 0.0]));
    assert_eq!(now["history"][0]["who"], "N");
    running.send(&phantom(15));
    let list = running
        .wait_for("scored", |list| list.first().is_some_and(|study| study["state"] == "scored"));
    assert_eq!(list[0]["class"], "positive");
    let back = serde_json::json!({ "thresholds": null, "who": "N", "why": "again" });
    assert_eq!(running.post("/thresholds", &back, true), 200);
    assert!(running.get("/thresholds")["thresholds"].is_null());
}
