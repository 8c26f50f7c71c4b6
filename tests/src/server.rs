//! Runs the real server, as a platform would, and talks to it over real sockets.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::tollgate::Folder;

/// Where a folder's server keeps its database.
const DATA: &str = "data";

/// A running `tollgate serve`. It is killed when dropped.
pub struct Server {
    process: Child,
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
    /// The first platform key, if this start made it.
    pub key: Option<String>,
    output: BufReader<ChildStdout>,
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type.
    pub media_type: String,
    /// The headers.
    pub headers: ureq::http::HeaderMap,
    /// The body, as text; what is no text in it is replaced.
    pub text: String,
}

/// Asks a server in somebody's name.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    /// Where the server listens.
    pub address: String,
    /// The key; empty for none.
    pub key: String,
}

impl Server {
    /// Starts a server over the database in a folder, made ready if there is none, with settings such as
    /// `rate_per_second=500`.
    pub fn start(folder: &Folder, settings: &[&str]) -> Self {
        let mut command = folder.command("serve --data data --dev --listen 127.0.0.1:0");
        for setting in settings {
            command.args(["--set", setting]);
        }
        Self::spawn(command)
    }

    /// Starts a server by a command of one's own, and waits until it listens.
    pub fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the program starts");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut key = None;
        let address = loop {
            let mut line = String::new();
            let read = output.read_line(&mut line).expect("it writes UTF-8");
            assert!(read > 0, "the server ended: {:?}", process.wait());
            if line.starts_with("tollgate_") {
                key = Some(line.trim().to_owned());
            }
            if let Some(rest) = line.strip_prefix("Listening on ") {
                break rest.split(' ').next().expect("an address").to_owned();
            }
        };
        Self { process, address, key, output }
    }

    /// The database of a folder's server.
    pub fn database(folder: &Folder) -> PathBuf {
        folder.path(DATA).join("tollgate.db")
    }

    /// Asks with the platform's key that this start made.
    pub fn platform(&self) -> Client {
        self.client(self.key.as_ref().expect("this start made the first key"))
    }

    /// Asks with a key.
    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.address, key)
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Waits until it has ended by itself, and gives back its exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.process.wait().expect("it ends").code()
    }

    /// Asks it to stop, as `kill` does, and waits until it has; gives back whether it ended well.
    pub fn stop(mut self) -> bool {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        assert!(asked.expect("kill").success());
        let mut rest = String::new();
        while self.output.read_line(&mut rest).is_ok_and(|read| read > 0) {}
        self.process.wait().expect("it ends").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Client {
    /// Asks a server with a key.
    pub fn new(address: &str, key: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            // Sooner than the server gives an idle connection up.
            .max_idle_age(Duration::from_secs(2))
            .build();
        Self { agent: config.into(), address: address.to_owned(), key: key.to_owned() }
    }

    /// The same with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// Reads something.
    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "")
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, &[("content-type", "application/json")], body.to_string())
    }

    /// Replaces something by JSON.
    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.ask("PUT", path, &[("content-type", "application/json")], body.to_string())
    }

    /// Sends newline-delimited events.
    pub fn send(&self, path: &str, lines: &str) -> Reply {
        self.ask("POST", path, &[("content-type", "application/x-ndjson")], lines)
    }

    /// Any request that is answered.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        self.try_ask(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Any request.
    ///
    /// # Errors
    /// When it is not answered: the connection breaks, or takes too long.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Result<Reply, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.as_ref();
        let response = if body.is_empty() && method != "POST" && method != "PUT" {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        Reply::read(response)
    }
}

impl Reply {
    fn read(response: Response<Body>) -> Result<Self, ureq::Error> {
        let (head, mut body) = response.into_parts();
        let media_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
        Ok(Self {
            status: head.status.as_u16(),
            media_type: media_type.unwrap_or_default().to_owned(),
            text: String::from_utf8_lossy(&body.with_config().limit(1 << 30).read_to_vec()?).into_owned(),
            headers: head.headers,
        })
    }

    /// The JSON it holds.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The JSON of an answer that must be of this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}

/// A component of the repository's bundled plugins.
pub fn bundled(plugin: &str) -> Vec<u8> {
    let path = crate::tollgate::repository().join(format!("plugins/prebuilt/{plugin}.wasm"));
    std::fs::read(Path::new(&path)).expect(plugin)
}
