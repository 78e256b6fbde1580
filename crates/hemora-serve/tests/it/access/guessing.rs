//! Whoever guesses passwords.

use std::time::{Duration, Instant};

use super::browser::Browser;
use super::{ADMINISTRATOR, Guarded, PASSWORD};

/// Logs in as soon as the node lets it.
fn when_possible(browser: &mut Browser, name: &str, password: &str) -> u16 {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let reply = browser.log_in(name, password);
        if reply.status != 429 || Instant::now() > end {
            return reply.status;
        }
        let after: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&after), "{after}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn ten_thousand_guesses_are_refused_and_hold_nobody_up() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    guarded.user(&mut administrator, "berta", "reader");
    let mut attacker = Browser::from([127, 0, 0, 2], guarded.http());
    let (mut wrong, mut later) = (0, 0);
    for index in 0..10_000 {
        let reply = attacker.log_in("berta", &format!("guess number {index}"));
        match reply.status {
            401 => wrong += 1,
            429 => later += 1,
            _ => panic!("{reply:?}"),
        }
        if index % 1000 == 0 {
            assert_eq!(administrator.get("/studies").status, 200);
        }
    }
    assert_eq!(wrong + later, 10_000);
    assert!((5..=25).contains(&wrong), "{wrong} passwords were looked at");

    // Another name, from another address, is let in at once.
    let mut other = Browser::from([127, 0, 0, 3], guarded.http());
    assert_eq!(other.log_in(ADMINISTRATOR, PASSWORD).status, 200);
    // So is the name itself, once its delay is over, and then it is free again.
    assert_eq!(when_possible(&mut other, "BERTA", PASSWORD), 200);
    assert_eq!(other.log_in("berta", "wrong wrong wrong").status, 401);
    assert_eq!(other.log_in("berta", PASSWORD).status, 200);

    let rows = administrator.get("/audit?what=login%20failed&limit=500").json();
    let rows = rows["rows"].as_array().unwrap();
    assert!((14..40).contains(&rows.len()), "{} rows of 10,000 tries", rows.len());
    let text = rows[1]["detail"].as_str().unwrap();
    assert!(text.contains("127.0.0.2") && text.contains("refused"), "{text}");
}

#[test]
fn one_password_for_many_names_makes_the_address_wait() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let mut attacker = Browser::from([127, 0, 0, 2], guarded.http());
    let statuses: Vec<u16> =
        (0..30).map(|index| attacker.log_in(&format!("user{index}"), PASSWORD).status).collect();
    assert!(statuses[..20].iter().all(|&it| it == 401), "{statuses:?}");
    assert!(statuses[20..].contains(&429), "{statuses:?}");
    // A right password of the attacker's own does not free the address.
    let reply = attacker.log_in(ADMINISTRATOR, PASSWORD);
    assert!([200, 429].contains(&reply.status), "{reply:?}");
    assert_eq!(Browser::new(guarded.http()).log_in(ADMINISTRATOR, PASSWORD).status, 200);
    assert_eq!(administrator.get("/session").status, 200);
}

#[test]
fn a_flood_at_once_is_sent_away_and_nobody_is_let_in() {
    let (guarded, _) = Guarded::with_administrator();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..100)
            .map(|index| {
                let node = guarded.http();
                scope.spawn(move || {
                    let mut browser = Browser::from([127, 0, 1, index], node);
                    browser.log_in(ADMINISTRATOR, "wrong wrong wrong").status
                })
            })
            .collect();
        tries.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|it| [401, 429, 503].contains(it)), "{statuses:?}");
    // Two are looked at at once: no more than one gets past the fifth.
    let wrong = statuses.iter().filter(|&&it| it == 401).count();
    assert!((5..=12).contains(&wrong), "{wrong} passwords were looked at");
    assert_eq!(when_possible(&mut Browser::new(guarded.http()), ADMINISTRATOR, PASSWORD), 200);
}

#[test]
fn a_password_that_is_changed_is_guessed_no_quicker() {
    let (guarded, mut administrator) = Guarded::with_administrator();
    let mut reader = guarded.user(&mut administrator, "berta", "reader");
    let change = |old: &str| serde_json::json!({ "old": old, "new": "another horse battery" });
    let statuses: Vec<u16> = (0..8)
        .map(|index| reader.post("/password", &change(&format!("guess number {index}"))).status)
        .collect();
    assert!(statuses[..5].iter().all(|&it| it == 403), "{statuses:?}");
    assert!(statuses[5..].contains(&429), "{statuses:?}");
}
