//! Which HTTP a connection speaks.
//!
//! Over TLS the handshake has agreed on it. In clear, HTTP/2 announces itself by a preface; it is looked at
//! here, under the caller's timeout, because hyper's own detection waits for it without one.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::tls::HTTP2;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How often a preface that arrives in pieces is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// What the TLS handshake agreed on.
    pub fn agreed(alpn: Option<&[u8]>) -> Self {
        if alpn == Some(HTTP2) { Self::Http2 } else { Self::Http1 }
    }

    /// What the first bytes say. They stay unread.
    pub async fn of(stream: &TcpStream) -> io::Result<Self> {
        let mut first = [0; PREFACE.len()];
        loop {
            let count = stream.peek(&mut first).await?;
            let seen = first.get(..count).unwrap_or_default();
            if seen.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !PREFACE.starts_with(seen) {
                return Ok(Self::Http1);
            }
            if count == PREFACE.len() {
                return Ok(Self::Http2);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
