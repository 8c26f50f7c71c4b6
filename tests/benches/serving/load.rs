//! Sends requests as fast as they are answered, or at a fixed rate, and keeps the time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::connection::{Connection, counted};
use crate::traffic::Request;

/// Connections that questions are asked on, so that a slow one does not hold up the next.
const QUESTION_CONNECTIONS: usize = 16;

/// What sending took.
pub struct Sent {
    pub events: usize,
    pub elapsed: Duration,
    pub latencies: Latencies,
}

/// How long each request took.
pub struct Latencies(Vec<Duration>);

impl Sent {
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64()
    }

    pub fn requests_per_second(&self) -> f64 {
        self.latencies.0.len() as f64 / self.elapsed.as_secs_f64()
    }
}

impl Latencies {
    fn new(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self(latencies)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one below which so many of a thousand lie.
    pub fn thousandth(&self, share: usize) -> Duration {
        let place = self.0.len() * share / 1_000;
        self.0.get(place.min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Sends requests over so many connections, on each the next one as soon as the last is answered, or not
/// before it is due at `per_second` requests. Every event must be rated,
/// or the answer say what is expected.
pub fn send(address: &str, requests: &[Request], connections: usize, per_second: Option<f64>) -> Sent {
    let mut open: Vec<Connection> = (0..connections).map(|_| Connection::open(address)).collect();
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let latencies = std::thread::scope(|scope| {
        let workers = open.iter_mut().map(|connection| {
            let next = &next;
            scope.spawn(move || {
                let mut latencies = Vec::new();
                while let Some((number, request)) = take(requests, next) {
                    if let Some(per_second) = per_second {
                        sleep_until(started + Duration::from_secs_f64(number as f64 / per_second));
                    }
                    let sent = Instant::now();
                    let answer = connection.ask(&request.bytes);
                    latencies.push(sent.elapsed());
                    let text = || String::from_utf8_lossy(answer);
                    match request.expected {
                        Some(expected) => assert!(text().contains(expected), "{}", text()),
                        None => assert_eq!(counted(answer, "rated"), request.events, "{}", text()),
                    }
                }
                latencies
            })
        });
        let workers: Vec<_> = workers.collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it sends")).collect()
    });
    let events = requests.iter().map(|request| request.events).sum();
    Sent { events, elapsed: started.elapsed(), latencies: Latencies::new(latencies) }
}

fn take<'a>(requests: &'a [Request], next: &AtomicUsize) -> Option<(usize, &'a Request)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    Some((number, requests.get(number)?))
}

/// Questions that are asked at a fixed rate.
pub struct Questions {
    /// Asked one after the other, over and over.
    pub requests: Vec<Vec<u8>>,
    pub per_second: f64,
    /// What every answer must say.
    pub expected: &'static str,
}

/// Asks at a fixed rate, whatever becomes of those before, until it is told to stop.
///
/// An answer's time counts from when the question was due; where the connection was free by then and only this
/// process woke late, from when it was sent.
pub fn ask(address: &str, questions: &Questions, is_over: &AtomicBool) -> Latencies {
    let Questions { requests, per_second, expected } = questions;
    let mut open: Vec<Connection> = (0..QUESTION_CONNECTIONS).map(|_| Connection::open(address)).collect();
    let started = Instant::now();
    let latencies = std::thread::scope(|scope| {
        let workers = open.iter_mut().enumerate().map(|(first, connection)| {
            scope.spawn(move || {
                let mut latencies = Vec::new();
                for number in (first..).step_by(QUESTION_CONNECTIONS) {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let due = started + Duration::from_secs_f64(number as f64 / per_second);
                    let begun = if Instant::now() > due { due } else { sleep_until(due) };
                    let answer = connection.ask(&requests[number % requests.len()]);
                    latencies.push(begun.elapsed());
                    let text = || String::from_utf8_lossy(answer);
                    assert!(text().contains(expected), "{}", text());
                }
                latencies
            })
        });
        let workers: Vec<_> = workers.collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it asks")).collect()
    });
    Latencies::new(latencies)
}

/// Sleeps, and gives when it woke.
fn sleep_until(due: Instant) -> Instant {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
    Instant::now()
}
