//! What a node says of itself.

use serde_json::{Value, json};

use crate::node::Running;
use crate::scans::{Stored, fetch, scored};

#[test]
fn quality_counts_what_was_found_and_what_readers_said() {
    let running =
        Running::start("[score.thresholds]\nwho = \"N\"\nwhy = \"test\"\nany = [0.0, 0.0]\n");
    for number in [90, 91] {
        let stored = Stored { orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], number };
        running.send(&stored.images(4));
    }
    scored(&running, 2);
    running.get("/studies/1.2.99.90/view");
    let word = json!({ "revision": 1, "label": "any", "agrees": false });
    assert_eq!(running.post("/studies/1.2.99.90/feedback", &word, true), 200);
    let quality = running.get("/quality?weeks=2");
    let weeks = quality["weeks"].as_array().unwrap();
    assert_eq!(weeks.len(), 2);
    let sum = |name: &str| weeks.iter().map(|week| week[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(["scored", "flagged", "confirmed", "refuted"].map(sum), [2, 2, 0, 1]);
    let any = &quality["labels"][0];
    assert_eq!((&any["label"], &any["disagreed"]), (&"any".into(), &1.into()));
    let time = |at: usize| quality["times"][at]["studies"].as_u64().unwrap();
    assert_eq!((time(0), time(1)), (2, 1));
    assert!(quality["times"][0]["p50_s"].as_f64().unwrap() > 0.0);
    assert_eq!(quality["drift"], Value::Null, "two studies say nothing");
    for weeks in ["0", "105", "x"] {
        let path = format!("/quality?weeks={weeks}");
        assert_eq!(fetch(&running, &path, false).status, 400, "{weeks}");
    }
    let table = fetch(&running, "/quality.csv", false);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(table.body).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("P90"), "no patient: {text}");
    let audit = running.get("/audit?what=exported");
    assert_eq!(audit["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn the_state_of_the_node_names_its_parts_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "topsecret\n").unwrap();
    let running = Running::start(&format!(
        "[[destination]]\nname = \"chat\"\nkind = \"webhook\"\n\
         url = \"http://someone:password@127.0.0.1:1/hooks/hidden\"\nsecret_file = {:?}\n",
        secret.display().to_string()
    ));
    let stored = Stored { orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], number: 95 };
    running.send(&stored.images(4));
    scored(&running, 1);
    running.wait_for("a delivery that fails", |list| list[0]["sent"]["failing"] == 1);
    let system = running.get("/system");
    assert_eq!(system["ae_title"], "HEMORA");
    assert_eq!(system["model"]["name"], "hemora-default");
    assert!(system["model"]["card"].as_str().unwrap().len() > 1000);
    let source = &system["sources"][0];
    assert_eq!((&source["ae_title"], &source["images"]), (&"CT1".into(), &4.into()));
    assert_eq!(system["disk"]["studies"], 1);
    assert!(system["disk"]["images"].as_u64().unwrap() > 0);
    let chat = &system["destinations"][0];
    assert_eq!(
        (&chat["name"], &chat["kind"], &chat["failing"]),
        (&"chat".into(), &"webhook".into(), &1.into())
    );
    assert_eq!(system["failing"][0]["study_instance_uid"], "1.2.99.95");
    let text = system.to_string();
    assert!(text.contains("secret_file"), "{text}");
    for hidden in ["topsecret", "password", "hidden"] {
        assert!(!system["configuration"].as_str().unwrap().contains(hidden), "{hidden}");
    }
}
