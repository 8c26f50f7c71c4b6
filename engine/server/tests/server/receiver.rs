//! Somebody who receives webhooks and does with them as it is told, and a server that sends them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tollgate_core::access::Scope;
use tollgate_core::catalog::Definition;
use tollgate_core::store::{Commit, Notice, NoticeKind, RecordChange, RecordFilter, RecordKind, Store};
use tollgate_server::config::Config;
use tollgate_store::{Options, SqliteStore};

use crate::fixture::{APP, Running, engine_over};

/// How a receiver answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    To(String),
    Later(u64),
    Never,
}

#[derive(Default)]
struct Seen {
    messages: Vec<Message>,
    replies: VecDeque<Reply>,
    always: Option<Reply>,
}

/// A message as it was received.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    pub timestamp: i64,
    pub signatures: Vec<String>,
    pub body: String,
}

impl Message {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of the signatures is by this secret: computed here from the specification's words.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.signatures.contains(&expected)
    }
}

/// A server of somebody else's.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    pub async fn open() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let routes = Router::new().fallback(any(receive)).with_state(Arc::clone(&seen));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next requests like this, then 204.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.seen.lock().unwrap().replies.extend(replies);
    }

    /// Answers all requests like this from now on.
    pub fn always(&self, reply: Option<Reply>) {
        self.seen.lock().unwrap().always = reply;
    }

    pub fn messages(&self) -> Vec<Message> {
        self.seen.lock().unwrap().messages.clone()
    }

    /// Waits until so many messages have come.
    pub async fn wait(&self, count: usize) -> Vec<Message> {
        until(|| self.messages().len() >= count).await;
        self.messages()
    }
}

async fn receive(State(seen): State<Arc<Mutex<Seen>>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
    let reply = {
        let mut seen = seen.lock().unwrap();
        seen.messages.push(Message {
            id: header("webhook-id").to_owned(),
            timestamp: header("webhook-timestamp").parse().unwrap(),
            signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let next = seen.replies.pop_front();
        next.or_else(|| seen.always.clone())
    };
    match reply {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Status(status)) => (StatusCode::from_u16(status).unwrap(), "said so").into_response(),
        Some(Reply::To(place)) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
        }
        Some(Reply::Later(seconds)) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, wait).into_response()
        }
        Some(Reply::Never) => std::future::pending().await,
    }
}

pub async fn until(done: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within ten seconds");
}

/// Settings by which webhooks reach this machine, soon.
pub fn near() -> Config {
    Config {
        webhook_private_networks: true,
        webhook_poll_interval: Duration::from_millis(20),
        ..Config::default()
    }
}

/// A server that sends webhooks, over a store in a file, with keys.
pub struct PostOffice {
    pub running: Running,
    pub store: Arc<SqliteStore>,
    pub platform: String,
    pub acme: String,
    pub globex: String,
    pub ingest: String,
}

impl PostOffice {
    pub async fn open(directory: &TempDir, config: Config) -> Self {
        let store = SqliteStore::open(&directory.path().join("tollgate.db"), &Options::default()).unwrap();
        let store = Arc::new(store);
        let engine = engine_over(Arc::clone(&store) as Arc<dyn Store>);
        let globex: Definition =
            serde_json::from_value(json!({"builder": {"id": "globex", "name": "Globex"}})).unwrap();
        engine.define(&globex).unwrap();
        let running = Running::over(engine, config).await;
        let key = |scope| running.backend.keys.make("test", scope, None, 0).unwrap().1;
        let builder = |builder: &str| Scope::Builder { builder: builder.to_owned() };
        Self {
            platform: key(Scope::Platform),
            acme: key(builder("acme")),
            globex: key(builder("globex")),
            ingest: key(Scope::AppIngest { app: APP.to_owned() }),
            running,
            store,
        }
    }

    /// Asks with a key and says the status and the body that came back.
    pub async fn ask(&self, key: &str, asked: &str, body: &Value) -> (u16, Value) {
        let head =
            format!("{asked} HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-type: application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.running.ask(&head, body.as_bytes()).await;
        let status = answer.status();
        let json = if status >= 400 { answer.problem() } else { serde_json::from_str(&answer.body).unwrap() };
        (status, json)
    }

    /// What must be answered with this status.
    pub async fn expect(&self, key: &str, asked: &str, body: &Value, status: u16) -> Value {
        let (found, json) = self.ask(key, asked, body).await;
        assert_eq!(found, status, "{asked} {body}\n{json}");
        json
    }

    /// An endpoint of a receiver: its id and secret.
    pub async fn subscribe(&self, key: &str, receiver: &Receiver, types: &[&str]) -> (String, String) {
        let endpoint = json!({"url": receiver.url(), "types": types});
        let made = self.expect(key, "POST /v1/endpoints", &endpoint, 201).await;
        (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
    }

    /// The deliveries of an endpoint of Acme's, the latest first.
    pub async fn deliveries(&self, endpoint: &str) -> Vec<Value> {
        let path = format!("GET /v1/endpoints/{endpoint}/deliveries?limit=1000");
        self.expect(&self.acme, &path, &Value::Null, 200).await["data"].as_array().unwrap().clone()
    }

    /// Waits until all deliveries of an endpoint of Acme's stand like this.
    pub async fn wait(&self, endpoint: &str, state: &str) -> Vec<Value> {
        for _ in 0..500 {
            let deliveries = self.deliveries(endpoint).await;
            if !deliveries.is_empty() && deliveries.iter().all(|delivery| delivery["state"] == state) {
                return deliveries;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not {state}: {:?}", self.deliveries(endpoint).await);
    }

    /// Something happens to a Builder.
    pub fn happen(&self, builder: &str, kind: NoticeKind, count: usize) {
        let notice = |number| Notice {
            builder: builder.to_owned(),
            kind,
            at: 1_773_000_000_000,
            data: json!({"app": APP, "customer": "legal", "amount": "0.1", "number": number}),
        };
        let notices = (0..count).map(notice).collect();
        self.store.submit(Commit { notices, ..Commit::default() }).unwrap().wait().unwrap();
    }

    /// Lets time pass until everything that waits is due. Says how much did.
    pub fn hurry(&self) -> usize {
        let filter = RecordFilter::due(RecordKind::Delivery, i64::MAX);
        let waiting = self.store.list_records(&filter, 1_000).unwrap().into_iter();
        let waiting = waiting.filter(|record| record.body.contains("\"is_underway\":false"));
        let hurried = waiting.map(|record| {
            let change =
                RecordChange { key: record.key, before: record.version, due: Some(0), body: record.body };
            let commit = Commit { records: vec![change], ..Commit::default() };
            self.store.submit(commit).unwrap().wait().is_ok()
        });
        hurried.filter(|is_done| *is_done).count()
    }

    /// Whether anything is being sent.
    pub fn is_underway(&self) -> bool {
        let filter = RecordFilter::due(RecordKind::Delivery, i64::MAX);
        let mut waiting = self.store.list_records(&filter, 1_000).unwrap().into_iter();
        waiting.any(|record| record.body.contains("\"is_underway\":true"))
    }

    pub async fn stop(self) {
        self.running.tell_to_stop();
        self.running.ended().await.unwrap();
    }
}
