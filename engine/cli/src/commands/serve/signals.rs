//! What `serve` is told by signals: to stop, to stop at once, to read its certificate again.

use std::sync::Arc;
#[cfg(unix)]
use std::task::Poll;

use tokio::sync::Notify;
use tollgate_server::tls::Tls;

use crate::exit::FAILED;

/// Listens from now on; what it gives back completes when the program is asked to stop, by SIGTERM or Ctrl-C. Asked
/// again, it ends at once, as if it were killed: nothing acknowledged is lost.
pub fn told_to_stop() -> impl Future<Output = ()> {
    let told = Arc::new(Notify::new());
    let telling = Arc::clone(&told);
    let mut signals = Signals::listen();
    // On its own, so that it listens for the second time whatever the server waits for meanwhile.
    tokio::spawn(async move {
        signals.next().await;
        telling.notify_one();
        signals.next().await;
        tracing::warn!("told to stop again: ends at once, and cuts what is in work");
        std::process::exit(FAILED.into());
    });
    async move { told.notified().await }
}

/// The signals that ask to stop. Where there are none, the program can still be killed.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let is_told = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if is_told { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// At every SIGHUP, from now on, reads the certificate and its key again. Without TLS it does nothing, and ends
/// nothing.
#[cfg(unix)]
pub fn read_tls_again_when_told(tls: Option<Arc<Tls>>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hung_up) = signal(SignalKind::hangup()) else { return };
    tokio::spawn(async move {
        while hung_up.recv().await.is_some() {
            let Some(tls) = tls.clone() else {
                tracing::info!("SIGHUP: there is no certificate to read again");
                continue;
            };
            match tokio::task::spawn_blocking(move || tls.read_again()).await {
                Ok(Ok(())) => tracing::info!("SIGHUP: the certificate and its key were read again"),
                Ok(Err(error)) => tracing::error!(%error, "SIGHUP: the certificate in use stays in use"),
                Err(_) => tracing::error!("SIGHUP: reading the certificate panicked"),
            }
        }
    });
}

/// Elsewhere nobody can be told so.
#[cfg(not(unix))]
pub fn read_tls_again_when_told(_tls: Option<Arc<Tls>>) {}
