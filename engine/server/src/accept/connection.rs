//! One connection: its requests go to the router; it ends when its peer is done, idle, or the server stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt;

use super::Timeouts;
use super::activity::{Activity, Running, Standing, Watched};
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
    /// From when on its first request is waited for.
    pub accepted: Instant,
}

/// Serves a connection to its end.
pub async fn serve<S>(stream: S, protocol: Protocol, connection: Connection, mut drain: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Connection { router, peer, timeouts, accepted } = connection;
    let activity = Activity::new(protocol, accepted);
    let watched = Arc::clone(&activity);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let running = Running::begin(&watched);
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().oneshot(request);
        async move {
            let Ok(answer) = answer.await;
            Ok::<_, Infallible>(running.answer(answer))
        }
    });
    let builder = builder(protocol);
    let stream = TokioIo::new(Watched::stream(stream, &activity));
    let mut serving = pin!(builder.serve_connection(stream, service));
    let mut patience = Patience { timeouts, asked_to_go: None };
    loop {
        let look = match patience.look(activity.standing(timeouts), Instant::now()) {
            Verdict::LookAgain(at) => at,
            Verdict::Go => {
                serving.as_mut().graceful_shutdown();
                continue;
            }
            Verdict::Cut => return,
        };
        tokio::select! {
            result = serving.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            // Either the word to drain, or the acceptor is gone: the same.
            _ = drain.wait_for(|draining| *draining), if patience.asked_to_go.is_none() => {
                patience.asked_to_go = Some(Instant::now());
                serving.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(look) => {}
        }
    }
}

fn builder(protocol: Protocol) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Hyper's own runs while a connection is idle as well; see `Activity`.
        .header_read_timeout(None)
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
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    LookAgain(Instant),
    /// It is asked to end once its running requests are answered.
    Go,
    /// A head did not come in time; or it was asked to go, and nothing has happened since.
    Cut,
}

/// How long a connection is waited for.
struct Patience {
    timeouts: Timeouts,
    asked_to_go: Option<Instant>,
}

impl Patience {
    fn look(&mut self, standing: Standing, now: Instant) -> Verdict {
        let Timeouts { head, idle } = self.timeouts;
        // Whatever begins after this look has at least as long.
        let soon = now + head.min(idle);
        match standing {
            Standing::InWork => Verdict::LookAgain(soon),
            Standing::Head(by) if by <= now => Verdict::Cut,
            Standing::Head(by) => Verdict::LookAgain(by.min(soon)),
            Standing::Idle(until) => {
                let until = self.asked_to_go.map_or(until, |asked| until.max(asked + idle));
                match self.asked_to_go {
                    _ if now < until => Verdict::LookAgain(until.min(soon)),
                    None => {
                        self.asked_to_go = Some(now);
                        Verdict::Go
                    }
                    Some(_) => Verdict::Cut,
                }
            }
        }
    }
}
