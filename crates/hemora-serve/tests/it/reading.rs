//! What readers do with a study.

use serde_json::{Value, json};

use crate::node::Running;
use crate::scans::{Stored, fetch, scored};

const STUDY: &str = "/studies/1.2.99.80";

fn running() -> Running {
    let running =
        Running::start("[score.thresholds]\nwho = \"N\"\nwhy = \"test\"\nany = [0.0, 0.0]\n");
    let stored = Stored { orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], number: 80 };
    running.send(&stored.images(4));
    scored(&running, 1);
    running
}

/// What a request that changes something is answered.
fn answer(running: &Running, path: &str, body: &Value) -> Value {
    let url = format!("http://{}/api/v1{STUDY}{path}", running.node().http());
    let request = ureq::post(&url).header("content-type", "application/json");
    let mut response = request.header("x-hemora", "1").send(body.to_string()).unwrap();
    serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
}

#[test]
fn whoever_acknowledges_first_stays_until_it_is_taken_back() {
    let running = running();
    let shown = json!({ "revision": 1 });
    let first = answer(&running, "/acknowledge", &shown);
    assert_eq!(first["now"], true);
    let second = answer(&running, "/acknowledge", &shown);
    assert_eq!((&second["now"], &second["at"]), (&Value::from(false), &first["at"]));
    let reading = running.get(STUDY)["reading"].clone();
    assert_eq!(
        (&reading["acknowledged_by"], &reading["acknowledged_at"]),
        (&first["by"], &first["at"])
    );
    answer(&running, "/unacknowledge", &shown);
    assert_eq!(running.get(STUDY)["reading"]["acknowledged_by"], Value::Null);
    assert_eq!(answer(&running, "/acknowledge", &shown)["now"], true);
    let view = running.get(&format!("{STUDY}/view"));
    let events: Vec<&str> = view["readings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["acknowledged", "unacknowledged", "acknowledged", "opened"]);

    let status = |path: &str, body: Value| running.post(&format!("{STUDY}{path}"), &body, true);
    assert_eq!(status("/acknowledge", json!({ "revision": 7 })), 400);
    assert_eq!(status("/acknowledge", json!({})), 422);
    assert_eq!(running.post(&format!("{STUDY}/acknowledge"), &shown, false), 403);
    assert_eq!(running.post("/studies/1.2.3/acknowledge", &shown, true), 404);
}

#[test]
fn readers_agree_disagree_and_write_notes() {
    let running = running();
    let said = |label: &str, agrees: bool, note: &str| {
        let body = json!({ "revision": 1, "label": label, "agrees": agrees, "note": note });
        running.post(&format!("{STUDY}/feedback"), &body, true)
    };
    let html = "<img src=x onerror=alert(1)>";
    assert_eq!(said("any", true, ""), 200);
    assert_eq!(said("any", false, html), 200);
    assert_eq!(said("subdural", true, ""), 200);
    assert_eq!(said("nothing", true, ""), 422);
    assert_eq!(said("any", true, &"x".repeat(2001)), 400);
    let note = |note: &str| {
        let body = json!({ "revision": 1, "note": note });
        running.post(&format!("{STUDY}/notes"), &body, true)
    };
    assert_eq!(note("seen by telephone"), 200);
    assert_eq!((note(" "), note(&"ä".repeat(2000)), note(&"ä".repeat(2001))), (400, 200, 400));
    let readings = running.get(&format!("{STUDY}/view"))["readings"].clone();
    assert_eq!((&readings[1]["event"], &readings[1]["note"]), (&"disagreed".into(), &html.into()));
    assert_eq!((&readings[3]["event"], &readings[3]["label"]), (&"noted".into(), &Value::Null));
    let reading = running.get(STUDY)["reading"].clone();
    assert_eq!(
        (&reading["agreed"], &reading["disagreed"]),
        (&1.into(), &1.into()),
        "the newest word"
    );
    let audit = fetch(&running, "/audit?study=1.2.99.80", false);
    let text = String::from_utf8(audit.body).unwrap();
    assert!(text.contains("disagreed") && !text.contains("onerror"), "{text}");
    let metrics = ureq::get(format!("http://{}/metrics", running.node().http())).call();
    let metrics = metrics.unwrap().body_mut().read_to_string().unwrap();
    assert!(metrics.contains("hemora_feedback_total{verdict=\"agrees\"} 2"), "{metrics}");
}
