//! What a configuration may say, and what it is told when it says something else.

use hemora_serve::Config;
use hemora_serve::config::Destination;

fn problem(text: &str) -> String {
    Config::parse(text).unwrap_err().to_string()
}

#[test]
fn an_empty_configuration_is_a_whole_one_and_reads_back() {
    let config = Config::parse("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(Config::parse(&config.resolved()).unwrap(), config);
    assert!(config.dicom.listen.ip().is_loopback() && config.http.listen.ip().is_loopback());
}

#[test]
fn the_configuration_of_a_department_reads_back() {
    let text = r#"
        [node]
        ae_title = "HEMORA"
        data = "/var/lib/hemora"
        durability = "power"
        research_protocol = "EK 2026/17, Dr N."
        [dicom]
        listen = "0.0.0.0:11112"
        known_peers = [{ ae = "CT1", host = "10.1.2.3" }]
        timeouts = { association = "5s", idle = "5m", store = "5m" }
        [settle]
        quiet = "4s"
        count_from = "PACS"
        [score.thresholds]
        who = "Dr N."
        why = "200 studies of May"
        any = [0.25, 0.60]
        subtypes = { subdural = [0.1, 0.2] }
        [[destination]]
        name = "PACS"
        kind = "dicom"
        ae = "PACS"
        host = "10.1.2.9:104"
        send = ["sr", "sc", "key_objects"]
        when = "positive"
        commitment = true
        [[destination]]
        name = "RIS"
        kind = "hl7"
        host = "10.1.2.8:2575"
        [[destination]]
        name = "chat"
        kind = "webhook"
        url = "https://chat.example/hook"
        secret_file = "/etc/hemora/secret"
        when = "not-negative"
        [keep]
        images = "14d"
        at_most = "500GiB"
        reserve = "20GiB"
    "#;
    let config = Config::parse(text).unwrap();
    assert_eq!(config.keep.at_most.0, 500 << 30);
    assert_eq!(config.destinations.len(), 3);
    assert!(matches!(&config.destinations[0], Destination::Dicom(it) if it.commitment));
    assert_eq!(Config::parse(&config.resolved()).unwrap(), config);
}

#[test]
fn sizes_and_durations_read_back_exactly() {
    for size in ["500GB", "1234567B", "999999MiB", "20GiB", "1.5GiB", "3KiB"] {
        let config = Config::parse(&format!("[keep]\nat_most = \"{size}\"")).unwrap();
        assert_eq!(Config::parse(&config.resolved()).unwrap(), config, "{size}");
    }
    for duration in ["1500ms", "90s", "36h", "10y"] {
        let config = Config::parse(&format!("[keep]\nimages = \"{duration}\"")).unwrap();
        assert_eq!(Config::parse(&config.resolved()).unwrap(), config, "{duration}");
    }
    assert!(Config::default().resolved().contains("at_most = \"500GiB\""));
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    for (text, key) in [
        ("[node]\nae_titel = \"A\"", "ae_titel"),
        ("[nodes]\n", "nodes"),
        ("[[destination]]\nname = \"a\"\nkind = \"hl7\"\nhost = \"a:1\"\nprio = true", "prio"),
        ("[dicom]\ntimeouts = { idel = \"1s\" }", "idel"),
    ] {
        let problem = problem(text);
        assert!(problem.contains(key), "{problem}");
    }
    assert!(problem("[node]\nae_titel = \"A\"").contains("line 2"));
}

#[test]
fn values_that_cannot_be_used_are_named_with_what_to_write() {
    let dicom = |rest: &str| format!("[[destination]]\nname = \"P\"\nkind = \"dicom\"\n{rest}");
    for (text, words) in [
        ("[settle]\nquiet = \"soon\"".to_owned(), ["soon", "\"4s\""]),
        ("[keep]\nat_most = \"much\"".to_owned(), ["at_most", "much"]),
        ("[keep]\nat_most = \"0B\"".to_owned(), ["keep.at_most", "0"]),
        ("[score]\nengine = \"abacus\"".to_owned(), ["abacus", "onnxruntime"]),
        ("[dicom]\nlisten = \"0.0.0.0:104\"".to_owned(), ["dicom.listen", "known_peers"]),
        ("[http]\nlisten = \"0.0.0.0:80\"".to_owned(), ["http.listen", "proxy"]),
        ("[http]\nlisten = \"0.0.0.0:80\"\nlogin = false".to_owned(), ["http.login", "127.0.0.1"]),
        ("[http]\nohif_url = \"https://a/viewer\"".to_owned(), ["http.ohif_url", "{study}"]),
        ("[http]\npublic_url = \"ich.example\"".to_owned(), ["http.public_url", "https://"]),
        ("[http]\nsessions = { idle = \"13h\" }".to_owned(), ["http.sessions.idle", "absolute"]),
        ("[http]\nsessions = { absolute = \"31d\" }".to_owned(), ["http.sessions.absolute", "30d"]),
        ("[database]\nurl = \"mysql://a/b\"".to_owned(), ["database.url", "sqlite"]),
        ("[database]\nurl = \"postgres://a:b@c/d\"".to_owned(), ["database.url", "password_file"]),
        ("[settle]\ncount_from = \"PACS\"".to_owned(), ["count_from", "no DICOM destination"]),
        (dicom("ae = \"SEVENTEEN-LETTERS\"\nhost = \"a:104\""), ["SEVENTEEN", "16"]),
        (dicom("ae = \"A\"\nhost = \"a\""), ["host", "10.1.2.9:104"]),
        (dicom("ae = \"A\"\nhost = \"a:104\"\nsend = []"), ["send", "nothing"]),
        (dicom("ae = \"A\"\nhost = \"a:104\"\nsend = [\"pdf\"]"), ["pdf", "sr"]),
    ] {
        let problem = problem(&text);
        assert!(words.iter().all(|word| problem.contains(word)), "{text}\n{problem}");
    }
}

#[test]
fn nobody_outside_reaches_a_node_without_a_login_or_in_clear_text() {
    let out = "[http]\nlisten = \"0.0.0.0:443\"\n";
    let tls = "tls = { cert = \"c\", key = \"k\" }\n";
    let proxy = |more: &str| {
        format!(
            "trusted_proxy = {{ addr = \"10.1.2.3\", user_header = \"x-remote-user\"{more} }}\n"
        )
    };
    let role = proxy(", role_header = \"x-remote-role\"");
    for right in [tls, &proxy(""), &role, &format!("{tls}{}", proxy(""))] {
        let config = Config::parse(&format!("{out}{right}")).unwrap();
        assert_eq!(Config::parse(&config.resolved()).unwrap(), config);
        let open = format!("{out}login = false\n{right}");
        assert!(problem(&open).contains("http.login"), "{open}");
    }
    assert!(Config::parse("[http]\nlogin = false").is_ok(), "this machine alone");
    assert!(problem(&format!("[http]\nlogin = false\n{}", proxy(""))).contains("http.login"));
    for header in ["cookie", "Authorization", "x hemora", "", "X-Hemora", "x-remote-user"] {
        let text = format!("{out}{}", proxy(&format!(", role_header = {header:?}")));
        assert!(problem(&text).contains("role_header"), "{header}");
    }
}

#[test]
fn nobody_is_alerted_without_a_protocol() {
    let hl7 = "[[destination]]\nname = \"RIS\"\nkind = \"hl7\"\nhost = \"a:1\"\n";
    let webhook = "[[destination]]\nname = \"chat\"\nkind = \"webhook\"\nurl = \"https://a\"\n\
                   secret_file = \"s\"\n";
    for text in [hl7, webhook] {
        assert!(problem(text).contains("research_protocol"));
        let with = format!("[node]\nresearch_protocol = \"EK 1\"\n{text}");
        assert!(Config::parse(&with).is_ok());
    }
    assert!(Config::parse(&format!("{hl7}priority = false")).is_ok());
}

#[test]
fn thresholds_need_a_name_a_reason_and_an_order() {
    let thresholds = |who: &str, any: &str| {
        format!("[score.thresholds]\nwho = \"{who}\"\nwhy = \"May\"\nany = {any}")
    };
    assert!(Config::parse(&thresholds("N", "[0.2, 0.2]")).is_ok());
    assert!(problem(&thresholds(" ", "[0.2, 0.3]")).contains("who"));
    for any in ["[0.3, 0.2]", "[-0.1, 0.2]", "[0.2, 1.1]", "[nan, 0.5]"] {
        assert!(problem(&thresholds("N", any)).contains("any"), "{any}");
    }
}

#[test]
fn two_destinations_of_one_name_are_refused() {
    let one = "[[destination]]\nname = \"P\"\nkind = \"dicom\"\nae = \"A\"\nhost = \"a:104\"\n";
    assert!(problem(&one.repeat(2)).contains("two destinations"));
}

#[test]
fn a_database_of_several_nodes_is_named_without_its_password() {
    let secret = "topsecret";
    for url in
        [format!("postgres://kim:{secret}@db/h"), format!("postgres://kim@db/h?password={secret}")]
    {
        let problem = problem(&format!("[node]\nname = \"a\"\n[database]\nurl = \"{url}\"\n"));
        assert!(problem.contains("password_file") && !problem.contains(secret), "{problem}");
    }
    let text = "[node]\nname = \"a\"\n[database]\nurl = \"postgres://kim@db/h\"\npassword_file = \"/etc/hemora/key\"\n";
    if cfg!(not(feature = "postgres")) {
        assert!(problem(text).contains("--features postgres"), "{}", problem(text));
        return;
    }
    let config = Config::parse(text).unwrap();
    assert_eq!(Config::parse(&config.resolved()).unwrap(), config);
    for (name, word) in [("", "each node"), ("name = \"../b\"", "letters")] {
        let problem = problem(&text.replace("name = \"a\"", name));
        assert!(problem.contains("node.name") && problem.contains(word), "{problem}");
    }
}
