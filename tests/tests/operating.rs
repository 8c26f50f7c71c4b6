//! The real program as whoever runs it meets it: how it starts, what makes it end, and what it says then.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use serde_json::json;
use tollgate_tests::server::Server;
use tollgate_tests::tollgate::Folder;

/// Serves where no file may grow beyond so many KiB.
fn serve_in_little_room(folder: &Folder, kibibytes: u32) -> Server {
    folder.write("serve.sh", format!("ulimit -f {kibibytes}; trap '' XFSZ; exec \"$@\""));
    let program = tollgate_tests::tollgate::program();
    let mut command = folder.shell("serve.sh");
    command.arg(program).args(["serve", "--data", "data", "--listen", "127.0.0.1:0"]);
    Server::spawn(command)
}

#[test]
fn a_disk_that_fails_ends_the_server_and_the_next_one_goes_on() {
    let folder = Folder::new();
    let first = Server::start(&folder, &[]);
    let key = first.key.clone().unwrap();
    assert!(first.stop());
    let server = serve_in_little_room(&folder, 256);
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
