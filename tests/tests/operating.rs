//! The real program as whoever runs it meets it: how it starts, what makes it end, and what it says then.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tollgate_tests::database::Priced;
use tollgate_tests::events::PRICES;
use tollgate_tests::server::Server;
use tollgate_tests::tollgate::{Answer, Folder, program};

/// Settings of the bundled plugin of that name.
const TIERED: &str =
    r#"{"unit": "page", "measures": ["pages"], "tiers": [{"up_to": null, "unit_price": "0.03"}]}"#;

/// Serves after a shell has run these words; what is logged is in the file `log`.
fn serve_after(folder: &Folder, words: &str, settings: &[&str]) -> Server {
    folder.write("serve.sh", format!("{words}; exec \"$@\" 2>log"));
    let mut command = folder.shell("serve.sh");
    command.arg(program()).args(["serve", "--data", "data", "--dev", "--listen", "127.0.0.1:0"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    Server::spawn(command)
}

fn log(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path("log")).unwrap()
}

/// Waits until something has been logged.
fn await_in_log(folder: &Folder, words: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !log(folder).contains(words) {
        assert!(Instant::now() < deadline, "{words} is not in\n{}", log(folder));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(name: &str, server: &Server) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(server.id().to_string()).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_disk_that_fails_ends_the_server_and_the_next_one_goes_on() {
    let folder = Folder::new();
    let first = Server::start(&folder, &[]);
    let key = first.key.clone().unwrap();
    assert!(first.stop());
    // A write beyond that fails, as on a disk that is broken.
    let server = serve_after(&folder, "ulimit -f 256; trap '' XFSZ", &[]);
    let client = server.client(&key);
    assert_eq!(client.get("/readyz").status, 200);
    let builder = |number: u32| json!({"id": format!("b{number}"), "name": "x".repeat(100)});
    let mut numbers = 0..10_000;
    let refused = numbers.by_ref().map(|number| client.post("/v1/builders", &builder(number)));
    let refused = refused.into_iter().find(|reply| reply.status != 201).unwrap();
    let detail =
        "the store failed while it took it; it may or may not have been kept, and sending it again is safe";
    assert_eq!((refused.status, &refused.json()["detail"]), (503, &json!(detail)));
    let unready = client.try_ask("GET", "/readyz", &[], "");
    if let Ok(unready) = unready {
        assert_eq!(unready.status, 503, "{}", unready.text);
    }
    assert_eq!(server.ended(), Some(1), "so that it is started again");
    let server = Server::start(&folder, &[]);
    let client = server.client(&key);
    assert_eq!(client.get("/readyz").status, 200);
    let last = numbers.start - 1;
    let again = client.post("/v1/builders", &builder(last)).status;
    assert!([200, 201].contains(&again), "{again}");
    assert!((0..last).all(|number| client.get(&format!("/v1/builders/b{number}")).status == 200));
}

#[test]
fn files_that_cannot_be_used_end_it_before_it_listens() {
    let folder = Folder::new();
    folder.run("init --data data").done();
    folder.write("certificate.pem", "no certificate");
    let tls = "--set tls_certificate=certificate.pem --set tls_key=key.pem";
    let answer = folder.run(&format!("serve --data data --listen 127.0.0.1:0 {tls}"));
    assert_eq!((answer.code, answer.output.as_str()), (1, ""), "{}", answer.errors);
    assert!(answer.errors.contains("certificate.pem: no certificate in PEM format"), "{}", answer.errors);
    // What it would do can be looked at without them.
    folder.run(&format!("serve --data data --print-config {tls}")).done();
}

#[test]
fn told_to_stop_again_it_ends_at_once() {
    let folder = Folder::new();
    let server = serve_after(&folder, ":", &["drain_wait=1m"]);
    signal("TERM", &server);
    await_in_log(&folder, "stopping: not ready for more");
    assert_eq!(server.client("").get("/readyz").status, 503, "it serves on");
    let told = Instant::now();
    signal("TERM", &server);
    assert_eq!(server.ended(), Some(1));
    assert!(told.elapsed() < Duration::from_secs(10));
}

#[test]
fn hanging_up_does_not_end_it() {
    let folder = Folder::new();
    let server = serve_after(&folder, ":", &[]);
    let mut open = TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
    let mut ask = || {
        open.write_all(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let count = open.read(&mut answer).unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"), "{count}");
    };
    ask();
    signal("HUP", &server);
    await_in_log(&folder, "SIGHUP: there is no certificate to read again");
    ask();
    assert!(server.stop());
}

#[cfg(target_os = "linux")]
#[test]
fn it_opens_as_many_files_as_it_may_and_says_when_they_are_too_few() {
    let folder = Folder::new();
    let server = serve_after(&folder, "ulimit -Sn 100; ulimit -Hn 1000", &["connections_max=700"]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let open_files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(open_files.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["1000", "1000"]);
    assert!(!log(&folder).contains("too few files"), "{}", log(&folder));
    assert!(server.stop());
    let server = serve_after(&folder, "ulimit -n 1000", &["connections_max=800"]);
    assert!(log(&folder).contains("too few files may be open for connections_max"), "{}", log(&folder));
    assert!(server.stop());
}

#[test]
fn the_log_says_who_asked_from_where_in_which_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let folder = Folder::new();
    let server = serve_after(&folder, ":", &["log_format=json"]);
    let key = server.key.clone().unwrap();
    let trace = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let ask = |key: &str| {
        let headers = [("traceparent", trace.as_str()), ("x-request-id", "job-7")];
        server.client(key).ask("GET", "/v1/builders", &headers, "").status
    };
    let (secret, id) = (key.rsplit('_').next().unwrap(), key.split('_').nth(2).unwrap());
    assert_eq!(ask(&key), 200);
    assert_eq!(ask(&key.replace(secret, "of-somebody-who-guesses")), 401);
    assert_eq!(server.client("").get("/healthz").status, 200);
    assert!(server.stop());
    let log = log(&folder);
    assert!(!log.contains(secret) && !log.contains("guesses"), "{log}");
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered: Vec<Value> = lines.filter(|line| line["target"] == "tollgate::access").collect();
    for (line, status) in answered.iter().zip([200, 401]) {
        assert_eq!((&line["status"], &line["key"]), (&json!(status), &json!(id)), "{line}");
        assert_eq!(
            (&line["span"]["id"], &line["span"]["trace_id"]),
            (&json!("job-7"), &json!(TRACE)),
            "{line}"
        );
    }
    let nobody = &answered[2];
    assert!(nobody["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{nobody}");
    assert_eq!((nobody.get("key"), nobody["span"].get("trace_id")), (None, None), "{nobody}");
}

#[test]
fn a_variable_that_is_no_setting_is_refused_and_an_empty_one_says_nothing() {
    let folder = Folder::new();
    let with = |settings: &str, environment: &[(&str, &str)]| -> Answer {
        let mut command = folder.command(&format!("serve --data data --print-config {settings}"));
        command.envs(environment.iter().copied()).output().unwrap().into()
    };
    let refused = with("", &[("TOLLGATE_LISTN", "127.0.0.1:1")]);
    let error = "TOLLGATE_LISTN in the environment is no setting: did you mean TOLLGATE_LISTEN?\n";
    assert!(refused.code == 3 && refused.errors.ends_with(error), "{}", refused.errors);
    let refused = with("", &[("TOLLGATE_COLOUR_OF_THE_BIKE_SHED", "red")]);
    assert_eq!(refused.code, 3);
    assert!(refused.errors.contains("--print-config shows all of them"), "{}", refused.errors);
    // Other commands read these, and Kubernetes makes those.
    let others =
        [("TOLLGATE_API_KEY", "x"), ("TOLLGATE_PORT", "tcp://10.0.0.1:80"), ("TOLLGATE_SERVICE_HOST", "x")];
    with("", &others).done();
    let empty =
        [("TOLLGATE_TLS_KEY", ""), ("TOLLGATE_LISTEN", ""), ("TOLLGATE_PAYMENTS_STRIPE_SECRET_KEY", "")];
    let shown = with("--set tls_certificate= --set otlp_endpoint=", &empty).done();
    assert!(shown.contains("listen = \"127.0.0.1:8080\"") && !shown.contains("tls_"), "{shown}");
    assert!(!shown.contains("stripe"), "{shown}");
    folder.write("config.toml", "tls_key = ''\n[payer]\niban = ''\n");
    let shown = with("--config config.toml", &[]).done();
    assert!(!shown.contains("tls_key") && !shown.contains("iban"), "{shown}");
}

#[test]
fn rust_log_counts_only_where_nothing_else_says_what_is_logged() {
    let folder = Folder::new();
    let level = |settings: &str, environment: &[(&str, &str)]| {
        let mut command = folder.command(&format!("serve --data data --print-config {settings}"));
        let shown = Answer::from(command.envs(environment.iter().copied()).output().unwrap()).done();
        shown.lines().find_map(|line| line.strip_prefix("log_level = ")).unwrap().to_owned()
    };
    let rust_log = ("RUST_LOG", "debug");
    assert_eq!(level("", &[("RUST_LOG", "")]), "\"info\"");
    assert_eq!(level("", &[rust_log]), "\"debug\"");
    assert_eq!(level("--set log_level=warn", &[rust_log]), "\"warn\"");
    assert_eq!(level("", &[rust_log, ("TOLLGATE_LOG_LEVEL", "error")]), "\"error\"");
    folder.write("config.toml", "log_level = 'trace'");
    assert_eq!(level("--config config.toml", &[rust_log]), "\"trace\"");
}

#[test]
fn what_it_makes_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let server = serve_after(&folder, "umask 022", &[]);
    folder.run("backup --data data copy.db").done();
    folder.run("restore --data restored copy.db").done();
    let mode = |name: &str| std::fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    for (directory, database) in [("data", "data/tollgate.db"), ("restored", "restored/tollgate.db")] {
        assert_eq!((mode(directory), mode(database)), (0o700, 0o600), "{directory}");
    }
    assert_eq!((mode("data/tollgate.db-wal"), mode("copy.db")), (0o600, 0o600));
    assert!(server.stop());
}

#[test]
fn a_plugin_that_was_damaged_is_told_at_the_start_and_holds_its_own_events_alone() {
    let folder = Folder::new();
    Priced { plugin: "tiered", settings: TIERED, prices: PRICES, apps: &["acme-docs"] }
        .define(&folder, "data");
    let database = rusqlite::Connection::open(Server::database(&folder)).unwrap();
    // A disk does not ask.
    database.execute_batch("DROP TRIGGER plugins_keep_update").unwrap();
    let damage =
        "UPDATE plugins SET component = CAST(substr(component, 1, length(component) - 1) || x'00' AS BLOB)";
    assert!(database.execute(damage, []).unwrap() > 0);
    drop(database);
    let server = serve_after(&folder, ":", &[]);
    assert!(log(&folder).contains("the tariff cannot be used: its events are held"), "{}", log(&folder));
    assert_eq!(server.platform().get("/readyz").status, 200);
    assert!(server.stop());
}
