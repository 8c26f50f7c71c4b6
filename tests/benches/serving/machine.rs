//! What the operating system says of the server's process and of the whole machine. Only Linux says it.

use std::fs::read_to_string;
use std::time::{Duration, Instant};

/// The kernel counts processor time for programs in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time up to a moment, in ticks.
#[derive(Clone, Copy)]
pub struct Clock {
    at: Instant,
    server: u64,
    client: u64,
    all: u64,
}

/// Who used the processors during a measurement.
#[derive(Clone, Copy)]
pub struct Used {
    /// The server's processor time.
    pub server: Duration,
    /// The share of all processors that other programs took: figures are only as good as this is small.
    pub others: f64,
}

impl Clock {
    /// Reads it, of a server's process.
    pub fn read(server: u32) -> Self {
        let whole = read_to_string("/proc/stat").unwrap_or_default();
        let fields: Vec<u64> = whole
            .lines()
            .next()
            .unwrap_or_default()
            .split(' ')
            .filter_map(|field| field.parse().ok())
            .collect();
        // User, nice, system, interrupts, soft interrupts; what lies between is waiting.
        let all = [0, 1, 2, 5, 6].iter().filter_map(|field| fields.get(*field)).sum();
        Self { at: Instant::now(), server: ticks(&server.to_string()), client: ticks("self"), all }
    }

    /// What was used from then until now.
    pub fn until_now(self, server: u32) -> Used {
        let now = Self::read(server);
        let server = now.server - self.server;
        let others = (now.all - self.all).saturating_sub(server + now.client - self.client);
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let possible = (now.at - self.at).as_secs_f64() * TICKS_A_SECOND * cores;
        let server = Duration::from_secs_f64(server as f64 / TICKS_A_SECOND);
        Used { server, others: others as f64 / possible }
    }
}

/// A process's time in its own code and in the kernel's.
fn ticks(process: &str) -> u64 {
    let stat = read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold blanks: fields are counted from behind it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// The most memory that a process had so far.
pub fn peak_memory(process: u32) -> String {
    let status = read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.map_or_else(|| "unknown here".to_owned(), |peak| format!("{} MiB", peak / 1024))
}
