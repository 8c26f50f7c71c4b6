//! One connection: its requests go to the router; it ends when its peer is done, idle, or the server stops.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt;

use super::Timeouts;
use super::protocol::Protocol;

/// The most bytes of a request's head.
const HEAD_BYTES_MAX: u16 = 32 * 1024;
/// Requests that one HTTP/2 connection may have in work.
const STREAMS_MAX: u32 = 128;

/// What a connection is served with.
pub struct Connection {
    pub router: Router,
    pub peer: SocketAddr,
    pub timeouts: Timeouts,
}

/// Requests of one connection, as its watch sees them.
#[derive(Debug, Default)]
struct Activity {
    running: AtomicUsize,
    begun: AtomicUsize,
}

/// One running request.
struct Running(Arc<Activity>);

impl Running {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.begun.fetch_add(1, Ordering::Relaxed);
        activity.running.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection to its end.
pub async fn serve<S>(stream: S, protocol: Protocol, connection: Connection, mut drain: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Connection { router, peer, timeouts } = connection;
    let activity = Arc::new(Activity::default());
    let watched = Arc::clone(&activity);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let running = Running::begin(&watched);
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().oneshot(request);
        async move {
            let _running = running;
            answer.await
        }
    });
    let builder = builder(protocol, timeouts);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut patience = Patience::new(&activity);
    loop {
        tokio::select! {
            result = serving.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            // Either the word to drain, or the acceptor is gone: the same.
            _ = drain.wait_for(|draining| *draining), if !patience.asked_to_go => {
                patience.asked_to_go = true;
                serving.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(timeouts.idle) => match patience.look() {
                Verdict::Stay => {}
                Verdict::Go => serving.as_mut().graceful_shutdown(),
                Verdict::Cut => return,
            },
        }
    }
}

fn builder(protocol: Protocol, timeouts: Timeouts) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .max_buf_size(usize::from(HEAD_BYTES_MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::from(HEAD_BYTES_MAX));
    match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    }
}

/// What becomes of a connection after a look at it.
enum Verdict {
    Stay,
    /// It is asked to end once its running requests are answered.
    Go,
    /// It was asked, and nothing has happened since.
    Cut,
}

/// Looks at a connection once in an idle timeout.
struct Patience<'a> {
    activity: &'a Activity,
    /// How many requests had begun at the last look.
    begun: Option<usize>,
    asked_to_go: bool,
}

impl<'a> Patience<'a> {
    fn new(activity: &'a Activity) -> Self {
        Self { activity, begun: None, asked_to_go: false }
    }

    fn look(&mut self) -> Verdict {
        let begun = Some(self.activity.begun.load(Ordering::Relaxed));
        let idle = self.activity.running.load(Ordering::Relaxed) == 0 && begun == self.begun;
        self.begun = begun;
        if !idle {
            return Verdict::Stay;
        }
        if std::mem::replace(&mut self.asked_to_go, true) { Verdict::Cut } else { Verdict::Go }
    }
}
