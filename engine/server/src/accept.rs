//! The accept loop: sockets in, connections served, every wait bounded.
//!
//! `axum::serve` never gives up on a half-sent request; this loop does. A connection costs one permit of
//! `connections_max`, and no peer can hold it by doing nothing: its first byte, its TLS handshake, each
//! request's head, and the time without a request in work are all limited. It does not know what is served.

mod activity;
mod connection;
mod descriptors;
mod peers;
mod protocol;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::config::Config;
use crate::tls::Tls;
use connection::{Connection, serve};
pub use descriptors::make_room;
use peers::{Peers, Place};
use protocol::Protocol;

/// How long accepting pauses when the operating system has no file descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Connections that the operating system keeps waiting until they are accepted. The usual 128 are soon too few
/// when many clients begin at once, and it resets the rest.
const WAITING_MAX: u32 = 4096;

/// Listens to an address, and lets many begin at once.
///
/// # Errors
/// When the operating system refuses, for instance because the address is in use.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that is started again must not wait until its last connections are forgotten.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Serves connections until told to stop.
pub struct Acceptor {
    router: Router,
    tls: Option<Arc<Tls>>,
    timeouts: Timeouts,
    /// One permit for each connection that may be open.
    open: Arc<Semaphore>,
    peers: Peers,
    connections: Gauge,
}

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
struct Timeouts {
    head: Duration,
    idle: Duration,
}

impl Acceptor {
    /// Serves the router by these settings, counting open connections.
    pub fn new(router: Router, tls: Option<Arc<Tls>>, config: &Config, connections: Gauge) -> Self {
        Self {
            router,
            tls,
            timeouts: Timeouts { head: config.header_read_timeout, idle: config.idle_timeout },
            open: Arc::new(Semaphore::new(config.connections_max.get() as usize)),
            peers: Peers::new(config.connections_per_peer_max),
            connections,
        }
    }

    /// Accepts and serves until `stop` completes; then lets running requests finish for `grace`, and cuts
    /// what is left. Returns the number of connections that were cut.
    pub async fn run(&self, listener: TcpListener, stop: impl Future<Output = ()>, grace: Duration) -> usize {
        let (draining, drain) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = self.accept(&listener) => {
                    let (stream, peer, place) = accepted;
                    connections.spawn(self.connection(stream, peer, place, drain.clone()));
                }
            }
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        draining.send_replace(true);
        let all_gone = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all_gone).await.is_ok() {
            return 0;
        }
        let cut = connections.len();
        connections.shutdown().await;
        cut
    }

    /// The next connection, as soon as there is room for it. Until then, peers wait in the operating
    /// system's queue. One of a peer that has too many is closed at once.
    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, Held) {
        // Nobody closes this semaphore, so there always is a permit in the end.
        let permit = Arc::clone(&self.open).acquire_owned().await.ok();
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(place) = self.peers.admit(peer.ip()) {
                        return (stream, peer, Held { _permit: permit, _place: place });
                    }
                    tracing::debug!(%peer, "closed: this peer has as many connections as it may");
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection could be accepted");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        held: Held,
        drain: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (tls, timeouts) = (self.tls.clone(), self.timeouts);
        let counted = Counted::new(&self.connections, held);
        let router = self.router.clone();
        async move {
            let _counted = counted;
            // Latency over throughput: an answer is small and is waited for.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "the connection is gone already");
                return;
            }
            let connection = Connection { router, peer, timeouts, accepted: Instant::now() };
            match tls {
                None => serve_plain(stream, connection, drain).await,
                Some(tls) => serve_tls(stream, &tls, connection, drain).await,
            }
        }
    }
}

async fn serve_plain(stream: TcpStream, connection: Connection, drain: watch::Receiver<bool>) {
    let protocol = tokio::time::timeout(connection.timeouts.head, Protocol::of(&stream));
    if let Ok(Ok(protocol)) = protocol.await {
        serve(stream, protocol, connection, drain).await;
    }
}

async fn serve_tls(stream: TcpStream, tls: &Tls, mut connection: Connection, drain: watch::Receiver<bool>) {
    match tokio::time::timeout(connection.timeouts.head, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => {
            let protocol = Protocol::agreed(stream.get_ref().1.alpn_protocol());
            connection.accepted = Instant::now();
            serve(stream, protocol, connection, drain).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// The peer gave up before it was accepted: nothing is wrong on this side.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// What a connection takes up, among all and among those of its peer.
struct Held {
    _permit: Option<OwnedSemaphorePermit>,
    _place: Place,
}

/// An open connection, counted until it is gone, however it goes.
struct Counted {
    connections: Gauge,
    _held: Held,
}

impl Counted {
    fn new(connections: &Gauge, held: Held) -> Self {
        connections.inc();
        Self { connections: connections.clone(), _held: held }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.connections.dec();
    }
}
