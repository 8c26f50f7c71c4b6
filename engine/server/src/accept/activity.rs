//! What goes on in a connection: whoever may end it looks here, and needs to know nothing of HTTP.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Timeouts;
use super::protocol::Protocol;

/// The requests and answers of one connection.
#[derive(Debug)]
pub struct Activity {
    protocol: Protocol,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests without an answer yet.
    running: usize,
    /// Answers that are on their way.
    answering: usize,
    /// When a request last began or was answered, or some of an answer was taken.
    moved: Instant,
    /// Since when a request's head is on its way. The first one is, from the beginning.
    head: Option<Instant>,
}

/// How a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A request is in work, which has a timeout of its own.
    InWork,
    /// The head of a request must be whole by then.
    Head(Instant),
    /// Nothing has happened; by then something should.
    Idle(Instant),
}

impl Activity {
    /// A connection that was accepted at a moment, and has not asked for anything.
    pub fn new(protocol: Protocol, accepted: Instant) -> Arc<Self> {
        let state = State { running: 0, answering: 0, moved: accepted, head: Some(accepted) };
        Arc::new(Self { protocol, state: Mutex::new(state) })
    }

    /// How it is doing now.
    pub fn standing(&self, timeouts: Timeouts) -> Standing {
        let state = self.state();
        match state.head {
            _ if state.running > 0 => Standing::InWork,
            Some(since) => Standing::Head(since + timeouts.head),
            None => Standing::Idle(state.moved + timeouts.idle),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer has sent something. With HTTP/1, what comes between two requests is the next one's head.
    fn heard(&self) {
        let mut state = self.state();
        let is_between = state.running == 0 && state.answering == 0;
        if self.protocol == Protocol::Http1 && is_between && state.head.is_none() {
            state.head = Some(Instant::now());
        }
    }
}

/// A request without an answer yet.
pub struct Running(Arc<Activity>);

impl Running {
    /// Its head has arrived.
    pub fn begin(activity: &Arc<Activity>) -> Self {
        let mut state = activity.state();
        state.running += 1;
        state.head = None;
        state.moved = Instant::now();
        drop(state);
        Self(Arc::clone(activity))
    }

    /// It is answered; the answer is watched until the peer has taken it.
    pub fn answer(self, answer: Response) -> Response {
        self.0.state().answering += 1;
        let answering = Answering(Arc::clone(&self.0));
        answer.map(|body| Body::new(Watched { inner: body, watch: answering }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running -= 1;
        state.moved = Instant::now();
    }
}

/// An answer that is on its way.
struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.answering -= 1;
        state.moved = Instant::now();
    }
}

/// A stream or a body, and who is told what happens to it.
pub struct Watched<T, W> {
    inner: T,
    watch: W,
}

impl<S> Watched<S, Arc<Activity>> {
    /// A stream under watch.
    pub fn stream(inner: S, activity: &Arc<Activity>) -> Self {
        Self { inner, watch: Arc::clone(activity) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S, Arc<Activity>> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.watch.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S, Arc<Activity>> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl HttpBody for Watched<Body, Answering> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        if frame.is_ready() {
            self.watch.0.state().moved = Instant::now();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
