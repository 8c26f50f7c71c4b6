//! The recorder: many requests at once, each answered by position, nothing acknowledged that is not kept.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tollgate_core::engine::{Engine, Receipt};
use tollgate_core::store::{HoldCause, Outcome};
use tollgate_server::config::Config;
use tollgate_server::lane::LaneError;
use tollgate_server::problem::{Kind, Problem};
use tollgate_server::recorder::Recorder;
use tollgate_server::telemetry::Telemetry;
use tollgate_store::Options;

use crate::fixture::{APP, engine, engine_in, event, event_of};

fn recorder(engine: &Arc<Engine>, config: &Config) -> (Arc<Recorder>, Telemetry) {
    let telemetry = Telemetry::new();
    let recorder = Recorder::start(Arc::clone(engine), config, telemetry.pipeline()).unwrap();
    (Arc::new(recorder), telemetry)
}

fn is_held(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Accepted(outcome)
        if matches!(&**outcome, Outcome::Held(reason) if reason.cause == HoldCause::NoTariff))
}

fn kept(engine: &Engine, ids: impl Iterator<Item = String>) -> usize {
    let events: Vec<_> = ids.map(|id| event(&id)).collect();
    let keys: Vec<_> = events.iter().map(|event| &event.key).collect();
    engine.store().find(&keys).unwrap().iter().flatten().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_gets_its_own_receipts_by_position() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine_in(directory.path(), &Options::default());
    let (recorder, telemetry) = recorder(&engine, &Config::default());
    // Of its own for each request: which batch a request comes into must not matter here.
    recorder
        .record((0..200).map(|request| event(&format!("known-{request}"))).collect(), None)
        .await
        .unwrap();
    let mut requests = JoinSet::new();
    for request in 0..200 {
        let recorder = Arc::clone(&recorder);
        requests.spawn(async move {
            // As many events as its number, and something else at a place of its own.
            let mut events: Vec<_> = (0..request % 7).map(|at| event(&format!("{request}-{at}"))).collect();
            let odd = match request % 3 {
                0 => event_of("nobody", "x", 1),
                1 => event(&format!("known-{request}")),
                _ => event_of(APP, &format!("known-{request}"), 2),
            };
            let place = request % (events.len() + 1);
            events.insert(place, odd);
            (request, place, events.len(), recorder.record(events, None).await.unwrap())
        });
    }
    while let Some(answered) = requests.join_next().await {
        let (request, place, count, receipts) = answered.unwrap();
        assert_eq!(receipts.len(), count);
        for (at, receipt) in receipts.iter().enumerate() {
            match (at == place, request % 3) {
                (false, _) => assert!(is_held(receipt), "{request} {at}: {receipt:?}"),
                (true, 0) => assert_eq!(*receipt, Receipt::Undefined),
                (true, odd) => assert_eq!(*receipt, Receipt::Duplicate { conflict: odd == 2 }),
            }
        }
    }
    let ids = (0..200_usize).flat_map(|request| (0..request % 7).map(move |at| format!("{request}-{at}")));
    let sent = ids.clone().count();
    assert_eq!(kept(&engine, ids), sent);
    let metrics = telemetry.text();
    for line in [
        format!("tollgate_events_total{{receipt=\"held\"}} {}", sent + 200),
        "tollgate_events_total{receipt=\"invalid\"} 67".to_owned(),
        format!("tollgate_events_held_total{{cause=\"no_tariff\"}} {}", sent + 200),
        "tollgate_queue_events 0".to_owned(),
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line} is not in\n{metrics}");
    }
    let batches = metrics.lines().find_map(|line| line.strip_prefix("tollgate_batch_events_count "));
    let batches: usize = batches.unwrap().parse().unwrap();
    assert!(batches < 100, "{batches} batches for 201 requests: they were not joined");
}

#[tokio::test]
async fn what_is_answered_is_kept_and_a_repeat_is_a_duplicate() {
    let engine = engine();
    let (recorder, _) = recorder(&engine, &Config::default());
    assert_eq!(recorder.record(Vec::new(), None).await.unwrap(), []);
    assert!(is_held(&recorder.record(vec![event("a")], None).await.unwrap()[0]));
    assert_eq!(kept(&engine, ["a".to_owned()].into_iter()), 1);
    let again = recorder.record(vec![event("a"), event("b"), event("b")], None).await.unwrap();
    assert_eq!(again[0], Receipt::Duplicate { conflict: false });
    assert!(is_held(&again[1]));
    assert_eq!(again[2], Receipt::Duplicate { conflict: false });
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once_and_counts_events() {
    let config = Config {
        queue_events: NonZeroU32::new(10).unwrap(),
        batch_wait: Duration::from_millis(500),
        ..Config::default()
    };
    let engine = engine();
    let (recorder, telemetry) = recorder(&engine, &config);
    let first: Vec<_> = (0..8).map(|at| event(&format!("first-{at}"))).collect();
    let waiting = tokio::spawn({
        let recorder = Arc::clone(&recorder);
        async move { recorder.record(first, None).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let three = || (0..3).map(|at| event(&format!("second-{at}"))).collect();
    let asked = std::time::Instant::now();
    let busy = recorder.record(three(), None).await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_millis(100));
    assert!(matches!(busy, LaneError::Busy));
    assert_eq!(Problem::from(busy).kind(), Kind::Busy);
    assert!(telemetry.text().contains("tollgate_queue_events 8\n"));
    // Two still fit, and once the batch is on its way so do three.
    assert_eq!(recorder.record(vec![event("x"), event("y")], None).await.unwrap().len(), 2);
    assert_eq!(waiting.await.unwrap().unwrap().len(), 8);
    assert_eq!(recorder.record(three(), None).await.unwrap().len(), 3);
    assert_eq!(kept(&engine, (0..3).map(|at| format!("second-{at}"))), 3);
}

#[tokio::test]
async fn a_request_larger_than_batch_and_queue_is_recorded_whole() {
    let config = Config {
        queue_events: NonZeroU32::new(10).unwrap(),
        batch_events_max: NonZeroUsize::new(4).unwrap(),
        ..Config::default()
    };
    let engine = engine();
    let (recorder, _) = recorder(&engine, &config);
    let events: Vec<_> = (0..50).map(|at| event(&at.to_string())).collect();
    let receipts = recorder.record(events, None).await.unwrap();
    assert_eq!(receipts.len(), 50);
    assert!(receipts.iter().all(is_held));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    // One commit may wait at a time, and every request is a batch of its own.
    let engine = engine_in(directory.path(), &Options { queue_commits: 1, ..Options::default() });
    let config = Config { batch_events_max: NonZeroUsize::MIN, ..Config::default() };
    let (recorder, _) = recorder(&engine, &config);
    let mut requests = JoinSet::new();
    for request in 0..300 {
        let recorder = Arc::clone(&recorder);
        requests.spawn(async move { recorder.record(vec![event(&request.to_string())], None).await });
    }
    for answer in requests.join_all().await {
        assert!(answer.unwrap().iter().all(is_held));
    }
    assert_eq!(kept(&engine, (0..300).map(|id| id.to_string())), 300);
}

#[tokio::test]
async fn a_failing_store_fails_the_batch_s_requests_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine_in(directory.path(), &Options::default());
    let (recorder, _) = recorder(&engine, &Config::default());
    recorder.record(vec![event("before")], None).await.unwrap();
    let vandal = rusqlite::Connection::open(directory.path().join("tollgate.db")).unwrap();
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> =
        vandal.prepare(list).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in tables {
        vandal.execute_batch(&format!("PRAGMA foreign_keys = OFF; DROP TABLE \"{table}\"")).unwrap();
    }
    let (first, second) = tokio::join!(
        recorder.record(vec![event("first")], None),
        recorder.record(vec![event("second")], None)
    );
    for answer in [first, second] {
        let problem = Problem::from(answer.unwrap_err());
        assert_eq!(problem.kind(), Kind::Unavailable);
        assert!(problem.detail().contains("sending it again is safe"), "{}", problem.detail());
        assert!(!problem.detail().contains("table"), "the store's own words stay in the log");
    }
    assert!(recorder.is_running(), "the next batch may fare better");
}

#[tokio::test]
async fn a_shutdown_answers_what_waits_and_takes_nothing_more() {
    let config = Config { batch_wait: Duration::from_secs(5), ..Config::default() };
    let engine = engine();
    let (recorder, _) = recorder(&engine, &config);
    let waiting = tokio::spawn({
        let recorder = Arc::clone(&recorder);
        async move { recorder.record(vec![event("waiting")], None).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = std::time::Instant::now();
    let stopping = Arc::clone(&recorder);
    tokio::task::spawn_blocking(move || stopping.shutdown()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2), "it does not wait for more events");
    assert!(is_held(&waiting.await.unwrap().unwrap()[0]));
    assert!(!recorder.is_running());
    assert!(matches!(recorder.record(vec![event("late")], None).await, Err(LaneError::Stopping)));
    assert_eq!(kept(&engine, ["late".to_owned()].into_iter()), 0);
}
