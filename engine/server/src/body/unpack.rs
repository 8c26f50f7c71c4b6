//! Unpacks gzip and zstd bodies, and stops a bomb before it has gone off.
//!
//! What counts is what comes out: unpacking ends at the limit, whatever the headers of the packed data say.

use std::io::Read;

use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::{Problem, Room, too_large};

/// Smaller bodies are unpacked at once; larger ones on a thread that may block.
const AT_ONCE_BYTES_MAX: usize = 16 * 1024;
const STEP_BYTES: usize = 64 * 1024;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// What the header `content-encoding` says.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let first = encodings.next().map(|value| value.to_str().unwrap_or("unreadable").trim());
        let encoding = match first.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "identity") => Some(Self::Identity),
            Some("gzip" | "x-gzip") => Some(Self::Gzip),
            Some("zstd") => Some(Self::Zstd),
            Some(_) => None,
        };
        match (encoding, encodings.next()) {
            (Some(encoding), None) => Ok(encoding),
            _ => Err(Problem::unsupported_media_type(
                "the body's content-encoding is not supported: send it plain, or packed once with gzip or zstd",
            )),
        }
    }

    pub fn is_packed(self) -> bool {
        self != Self::Identity
    }
}

/// The unpacked bytes, and the room they need.
pub async fn unpack(
    encoding: Encoding,
    packed: Vec<u8>,
    max: usize,
    room: Room,
) -> Result<(Vec<u8>, Room), Problem> {
    if !encoding.is_packed() {
        return Ok((packed, room));
    }
    if packed.len() <= AT_ONCE_BYTES_MAX.min(max) {
        return decode(encoding, &packed, max, room);
    }
    let work = move || decode(encoding, &packed, max, room);
    let unpacked = tokio::task::spawn_blocking(work).await;
    unpacked.unwrap_or_else(|_| Err(Problem::internal()))
}

fn decode(encoding: Encoding, packed: &[u8], max: usize, room: Room) -> Result<(Vec<u8>, Room), Problem> {
    match encoding {
        Encoding::Identity => Ok((packed.to_vec(), room)),
        Encoding::Gzip => drain(MultiGzDecoder::new(packed), max, room),
        Encoding::Zstd => drain(zstd(packed, max)?, max, room),
    }
}

/// A zstd frame asks for its window's memory before anything comes out: never more than the limit, rounded
/// up to a power of two.
fn zstd(packed: &[u8], max: usize) -> Result<ZstdDecoder<'_, &[u8]>, Problem> {
    let window_log_max = max.max(STEP_BYTES).next_power_of_two().trailing_zeros().min(27);
    let mut decoder = ZstdDecoder::with_buffer(packed).map_err(|_| Problem::internal())?;
    decoder.window_log_max(window_log_max).map_err(|_| Problem::internal())?;
    Ok(decoder)
}

fn drain(unpacked: impl Read, max: usize, mut room: Room) -> Result<(Vec<u8>, Room), Problem> {
    let mut unpacked = unpacked;
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        let step = unpacked.by_ref().take(STEP_BYTES as u64).read_to_end(&mut bytes);
        step.map_err(|error| Problem::malformed(format!("the body does not unpack: {error}")))?;
        if bytes.len() > max {
            return Err(too_large("unpacked body", max));
        }
        if bytes.len() == before {
            return Ok((bytes, room));
        }
        room.reach(bytes.len())?;
    }
}
