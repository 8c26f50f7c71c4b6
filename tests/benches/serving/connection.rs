//! One kept-alive HTTP/1.1 connection, as cheap as a client can be: its work is done on the server's cores.
//!
//! A request is bytes made beforehand, an answer is its status and body. It knows only what this server
//! answers: heads of one piece, bodies of a known length.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const HEAD_END: &[u8] = b"\r\n\r\n";
const LENGTH: &[u8] = b"content-length: ";

/// A connection on which one request follows the other.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A request, whole.
pub fn post(path: &str, key: &str, media_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: {media_type}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl Connection {
    /// Connects to `http://…`.
    pub fn open(address: &str) -> Self {
        let address = address.strip_prefix("http://").expect("an address without TLS");
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a TCP connection");
        Self { stream, received: vec![0; 128 * 1024] }
    }

    /// Sends a request and gives the body of the answer, which must be 200.
    pub fn ask(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).expect("the server takes the request");
        let mut filled = 0;
        let (body, end) = loop {
            filled += self.read(filled);
            let received = &self.received[..filled];
            if let Some(head) = position(received, HEAD_END) {
                let body = head + HEAD_END.len();
                break (body, body + length(&received[..body]));
            }
        };
        if self.received.len() < end {
            self.received.resize(end, 0);
        }
        while filled < end {
            filled += self.read(filled);
        }
        let answer = || String::from_utf8_lossy(&self.received[..end]);
        assert!(self.received.starts_with(b"HTTP/1.1 200 "), "{}", answer());
        &self.received[body..end]
    }

    fn read(&mut self, filled: usize) -> usize {
        let read = self.stream.read(&mut self.received[filled..]).expect("the server answers");
        assert!(read > 0, "the server closed the connection amid an answer");
        read
    }
}

fn length(head: &[u8]) -> usize {
    let at = position(head, LENGTH).expect("the answer's length") + LENGTH.len();
    number(&head[at..])
}

/// The number that follows `"name":` in a body; 0 when there is none.
pub fn counted(body: &[u8], name: &str) -> usize {
    let name = format!("\"{name}\":");
    position(body, name.as_bytes()).map_or(0, |at| number(&body[at + name.len()..]))
}

fn number(digits: &[u8]) -> usize {
    let digits = digits.iter().take_while(|digit| digit.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
