//! An OCI registry on a port of this machine: blobs and manifests as the distribution specification has them, and
//! the misconduct that a client must live through.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;
use tollgate_core::plugin::Digest;

/// What it does wrong.
#[derive(Clone, Debug, Default)]
pub struct Misconduct {
    /// Ask everybody for this header, as in `Basic dXNlcjpzZWNyZXQ=`.
    pub wants: Option<String>,
    /// Change a byte of every blob that is asked for, at this position from its end.
    pub changes: Option<usize>,
}

/// A running registry. It stops when dropped.
pub struct Registry {
    /// Host and port.
    pub address: String,
    kept: Arc<Mutex<Kept>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Kept {
    misconduct: Misconduct,
    blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and by tag or digest.
    manifests: BTreeMap<(String, String), Vec<u8>>,
    uploads: Vec<Vec<u8>>,
}

impl Registry {
    /// Starts an empty one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&kept);
        let thread = std::thread::spawn(move || serve(listener, shared, stopped));
        Self { address, kept, stop: Some(stop), thread: Some(thread) }
    }

    /// Has it behave like this from now on.
    pub fn behave(&self, misconduct: Misconduct) {
        self.kept().misconduct = misconduct;
    }

    /// The manifest of a tag.
    pub fn manifest(&self, repository: &str, tag: &str) -> serde_json::Value {
        let key = (repository.to_owned(), tag.to_owned());
        serde_json::from_slice(&self.kept().manifests[&key]).unwrap()
    }

    /// A blob, by its digest.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        self.kept().blobs[digest].clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(listener: TcpListener, kept: Arc<Mutex<Kept>>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let routes = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(kept);
        let serving = axum::serve(listener, routes).with_graceful_shutdown(async { drop(stopped.await) });
        serving.await.unwrap();
    });
}

async fn answer(
    State(kept): State<Arc<Mutex<Kept>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut kept = kept.lock().unwrap();
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if kept.misconduct.wants.as_deref().is_some_and(|wanted| given != Some(wanted)) {
        let words = r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}"#;
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"here\"")], words)
            .into_response();
    }
    let path = uri.path().trim_start_matches("/v2/").trim_end_matches('/').to_owned();
    let query = uri.query().unwrap_or_default();
    if let Some((repository, name)) = path.split_once("/manifests/") {
        return kept.manifest(&method, repository, name, &body);
    }
    if let Some((repository, upload)) = path.split_once("/blobs/uploads") {
        return kept.upload(&method, repository, upload.trim_start_matches('/'), query, &body);
    }
    match path.split_once("/blobs/") {
        Some((_, digest)) => kept.give_blob(digest),
        None => StatusCode::OK.into_response(),
    }
}

impl Kept {
    fn manifest(&mut self, method: &Method, repository: &str, name: &str, body: &[u8]) -> Response {
        let key = |name: &str| (repository.to_owned(), name.to_owned());
        if *method == Method::PUT {
            let digest = Digest::of(body).to_string();
            self.manifests.insert(key(name), body.to_vec());
            self.manifests.insert(key(&digest), body.to_vec());
            let location = format!("/v2/{repository}/manifests/{digest}");
            return (StatusCode::CREATED, [("location", location), ("docker-content-digest", digest)])
                .into_response();
        }
        let Some(manifest) = self.manifests.get(&key(name)) else {
            let words = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such manifest"}]}"#;
            return (StatusCode::NOT_FOUND, words).into_response();
        };
        let digest = Digest::of(manifest).to_string();
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        let headers = [("content-type", media_type), ("docker-content-digest", digest)];
        (headers, manifest.clone()).into_response()
    }

    fn upload(
        &mut self,
        method: &Method,
        repository: &str,
        upload: &str,
        query: &str,
        body: &[u8],
    ) -> Response {
        if *method == Method::POST {
            self.uploads.push(Vec::new());
            let location = format!("/v2/{repository}/blobs/uploads/{}", self.uploads.len() - 1);
            return (StatusCode::ACCEPTED, [("location", location)]).into_response();
        }
        let number: usize = upload.parse().unwrap();
        let received = &mut self.uploads[number];
        received.extend_from_slice(body);
        let location = format!("/v2/{repository}/blobs/uploads/{number}");
        if *method == Method::PATCH {
            let range = format!("0-{}", received.len().saturating_sub(1));
            return (StatusCode::ACCEPTED, [("location", location), ("range", range)]).into_response();
        }
        let wanted = form_urlencoded::parse(query.as_bytes())
            .find_map(|(name, value)| (name == "digest").then(|| value.into_owned()));
        let digest = Digest::of(received).to_string();
        if wanted.as_ref() != Some(&digest) {
            let words = r#"{"errors":[{"code":"DIGEST_INVALID","message":"other bytes"}]}"#;
            return (StatusCode::BAD_REQUEST, words).into_response();
        }
        let blob = std::mem::take(received);
        self.blobs.insert(digest.clone(), blob);
        let location = format!("/v2/{repository}/blobs/{digest}");
        (StatusCode::CREATED, [("location", location), ("docker-content-digest", digest)]).into_response()
    }

    fn give_blob(&self, digest: &str) -> Response {
        let Some(blob) = self.blobs.get(digest) else { return StatusCode::NOT_FOUND.into_response() };
        let mut blob = blob.clone();
        if let Some(position) = self.misconduct.changes.and_then(|from_end| blob.len().checked_sub(from_end))
        {
            blob[position] ^= 1;
        }
        blob.into_response()
    }
}
