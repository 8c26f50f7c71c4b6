//! What happened reaches those who want to be told: signed, again and again until they take it, and once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_core::store::NoticeKind;
use tollgate_server::config::Config;

use crate::receiver::{PostOffice, Receiver, Reply, near};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_arrives_signed() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let (all, low, platform) = (Receiver::open().await, Receiver::open().await, Receiver::open().await);
    let (id, secret) = office.subscribe(&office.acme, &all, &[]).await;
    office.subscribe(&office.acme, &low, &["wallet.low"]).await;
    let (of_platform, _) = office.subscribe(&office.platform, &platform, &[]).await;
    office.happen("acme", NoticeKind::PayoutPaid, 1);
    office.happen("acme", NoticeKind::WalletLow, 1);
    office.happen("globex", NoticeKind::WalletLow, 1);

    let messages = all.wait(2).await;
    let paid = messages.iter().find(|message| message.json()["type"] == "payout.paid").unwrap();
    assert_eq!(
        paid.json(),
        json!({"type": "payout.paid", "timestamp": "2026-03-08T20:00:00Z",
            "data": {"app": "acme-docs", "customer": "legal", "amount": "0.1", "number": 0}})
    );
    assert_eq!(paid.id, format!("msg_{id}_1"));
    assert!((Timestamp::now().as_second() - paid.timestamp).abs() < 10);
    assert!(messages.iter().all(|message| message.signatures.len() == 1 && message.is_signed_by(&secret)));
    assert!(!paid.is_signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));

    let delivered = office.wait(&id, "delivered").await;
    assert_eq!(
        (&delivered[0]["id"], &delivered[0]["type"]),
        (&json!(format!("msg_{id}_2")), &json!("wallet.low"))
    );
    assert_eq!(
        (&delivered[1]["attempts"], &delivered[1]["last_attempt"]["status"]),
        (&json!(1), &json!(204))
    );
    assert_eq!(delivered[1]["next_attempt_at"], Value::Null);
    platform.wait(3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((all.messages().len(), low.messages().len(), platform.messages().len()), (2, 1, 3));
    assert_eq!(low.messages()[0].json()["type"], "wallet.low");
    let of_platform: BTreeSet<_> = (1..=3).map(|number| format!("msg_{of_platform}_{number}")).collect();
    assert_eq!(
        platform.messages().into_iter().map(|message| message.id).collect::<BTreeSet<_>>(),
        of_platform
    );

    let metrics = office.running.metrics().await;
    assert!(metrics.contains("tollgate_webhook_attempts_total{outcome=\"delivered\"} 6"), "{metrics}");
    assert!(metrics.contains("tollgate_webhook_notices_total 3"), "{metrics}");
    assert!(metrics.contains("tollgate_webhook_deliveries_pending"), "{metrics}");
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_taken_is_sent_again() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let receiver = Receiver::open().await;
    receiver.next([Reply::Status(500), Reply::Later(3_600), Reply::Status(404)]);
    let (id, secret) = office.subscribe(&office.acme, &receiver, &[]).await;
    office.happen("acme", NoticeKind::EventHeld, 1);

    for (attempts, status, seconds) in [(1, 500, 5..=6), (2, 503, 3_600..=4_320), (3, 404, 1_800..=2_160)] {
        receiver.wait(attempts).await;
        let waiting = settled(&office, &id, attempts).await;
        assert_eq!(
            (&waiting["state"], &waiting["last_attempt"]["status"]),
            (&json!("pending"), &json!(status))
        );
        let at: Timestamp = waiting["last_attempt"]["at"].as_str().unwrap().parse().unwrap();
        let next: Timestamp = waiting["next_attempt_at"].as_str().unwrap().parse().unwrap();
        let delay = next.as_second() - at.as_second();
        assert!(seconds.contains(&delay), "{delay} seconds after attempt {attempts}");
        assert_eq!(office.hurry(), 1);
    }
    let taken = office.wait(&id, "delivered").await;
    assert_eq!(taken[0]["attempts"], 4);
    let messages = receiver.messages();
    assert!(messages.iter().all(|message| message.id == messages[0].id && message.body == messages[0].body));
    assert!(messages.iter().all(|message| message.is_signed_by(&secret)));
    office.stop().await;
}

/// The one delivery of an endpoint, once so many attempts at it have ended.
async fn settled(office: &PostOffice, id: &str, attempts: usize) -> Value {
    for _ in 0..500 {
        // Asked first: what is read after the sending ended is what came of it.
        let is_underway = office.is_underway();
        let delivery = office.deliveries(id).await.remove(0);
        let next = delivery["next_attempt_at"].as_str().map(|next| next.parse::<Timestamp>().unwrap());
        let last = delivery["last_attempt"]["at"].as_str().map(|last| last.parse::<Timestamp>().unwrap());
        // While it is being sent, what is shown of the last attempt is older than the claim.
        let is_settled = last.is_some() && !is_underway;
        if delivery["attempts"] == attempts && is_settled && next.is_none_or(|next| Some(next) > last) {
            return delivery;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("attempt {attempts} did not end: {:?}", office.deliveries(id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_can_be_replayed() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let receiver = Receiver::open().await;
    receiver.always(Some(Reply::Status(500)));
    let (id, _) = office.subscribe(&office.acme, &receiver, &[]).await;
    let begun = Timestamp::now();
    office.happen("acme", NoticeKind::WalletLow, 3);
    for attempt in 1..=10 {
        receiver.wait(3 * attempt).await;
        while office.is_underway() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        office.hurry();
    }
    let dead = office.wait(&id, "dead").await;
    assert_eq!((dead.len(), &dead[0]["attempts"]), (3, &json!(10)));
    assert_eq!(dead[0]["last_attempt"]["error"], "said so");
    assert_eq!((receiver.messages().len(), office.hurry()), (30, 0));
    let path = format!("/v1/endpoints/{id}/deliveries");
    let found =
        office.expect(&office.acme, &format!("GET {path}?state=dead&limit=2"), &Value::Null, 200).await;
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
    let next = found["next_cursor"].as_str().unwrap();
    let rest = format!("GET {path}?state=dead&limit=2&cursor={next}");
    let found = office.expect(&office.acme, &rest, &Value::Null, 200).await;
    assert_eq!(found["data"][0]["id"], format!("msg_{id}_1"));

    // One alone, then the rest.
    receiver.always(None);
    let one = format!("POST {path}/msg_{id}_2/replay");
    let replayed = office.expect(&office.acme, &one, &Value::Null, 200).await;
    assert_eq!((&replayed["state"], &replayed["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(receiver.wait(31).await[30].id, format!("msg_{id}_2"));
    let since = |moment: Timestamp| json!({"since": moment.to_string()});
    let all = format!("POST /v1/endpoints/{id}/replay");
    let future = since(Timestamp::now() + Duration::from_mins(1));
    office.expect(&office.acme, &all, &future, 422).await;
    let later = office.expect(&office.acme, &all, &since(Timestamp::now()), 200).await;
    assert_eq!(later["replayed"], 0);
    let replayed = office.expect(&office.acme, &all, &since(begun), 200).await;
    assert_eq!(replayed["replayed"], 2);
    receiver.wait(33).await;
    office.wait(&id, "delivered").await;
    // What was delivered can be asked for again as well: the receiver may have lost it.
    office.expect(&office.acme, &one, &Value::Null, 200).await;
    receiver.wait(34).await;
    office.expect(&office.acme, &format!("POST {path}/msg_{id}_9/replay"), &Value::Null, 404).await;
    office.expect(&office.acme, &format!("POST {path}/nothing/replay"), &Value::Null, 404).await;
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_send_each_notice_once() {
    let directory = TempDir::new().unwrap();
    let offices = (PostOffice::open(&directory, near()).await, PostOffice::open(&directory, near()).await);
    let (one, other) = (Receiver::open().await, Receiver::open().await);
    let (id, _) = offices.0.subscribe(&offices.0.acme, &one, &[]).await;
    let (other_id, _) = offices.1.subscribe(&offices.1.acme, &other, &["wallet.low"]).await;
    for _ in 0..10 {
        offices.0.happen("acme", NoticeKind::WalletLow, 7);
        offices.1.happen("acme", NoticeKind::PayoutPaid, 3);
    }
    one.wait(100).await;
    other.wait(70).await;
    offices.0.wait(&id, "delivered").await;
    offices.1.wait(&other_id, "delivered").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    for (receiver, id, count) in [(&one, id, 100), (&other, other_id, 70)] {
        let messages = receiver.messages();
        let ids: BTreeSet<_> = messages.iter().map(|message| &message.id).collect();
        assert_eq!((messages.len(), ids.len()), (count, count));
        assert!(ids.iter().all(|found| found.starts_with(&format!("msg_{id}_"))));
    }
    offices.0.stop().await;
    offices.1.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_an_endpoint_that_is_disabled_or_gone() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let receiver = Receiver::open().await;
    let (id, _) = office.subscribe(&office.acme, &receiver, &[]).await;
    let path = format!("/v1/endpoints/{id}");
    let content = |disabled: bool| json!({"url": receiver.url(), "disabled": disabled});
    let told = office.expect(&office.acme, &format!("PUT {path}"), &content(true), 200).await;
    assert_eq!(
        (&told["disabled"], &told["disabled_because"]),
        (&json!(true), &json!("its owner disabled it"))
    );
    office.happen("acme", NoticeKind::WalletLow, 1);
    tokio::time::sleep(Duration::from_millis(200)).await;
    office.expect(&office.acme, &format!("PUT {path}"), &content(false), 200).await;

    // 410 is the receiver's way to say so.
    receiver.next([Reply::Status(410)]);
    office.happen("acme", NoticeKind::WalletLow, 1);
    let dead = office.wait(&id, "dead").await;
    assert_eq!((dead.len(), receiver.messages().len()), (1, 1));
    let told = office.expect(&office.acme, &format!("GET {path}"), &Value::Null, 200).await;
    assert_eq!(told["disabled_because"], "it answered 410 Gone");
    let replay = format!("POST {path}/deliveries/{}/replay", dead[0]["id"].as_str().unwrap());
    office.expect(&office.acme, &replay, &Value::Null, 409).await;

    // What waits when it is deleted is given up.
    office.expect(&office.acme, &format!("PUT {path}"), &content(false), 200).await;
    receiver.next([Reply::Status(500)]);
    office.expect(&office.acme, &replay, &Value::Null, 200).await;
    settled(&office, &id, 1).await;
    office.expect(&office.acme, &format!("DELETE {path}"), &Value::Null, 200).await;
    office.hurry();
    office.happen("acme", NoticeKind::WalletLow, 1);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((receiver.messages().len(), office.hurry()), (2, 0));
    office.expect(&office.acme, &format!("GET {path}"), &Value::Null, 404).await;
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_endpoint_keeps_nobody_waiting() {
    let directory = TempDir::new().unwrap();
    let config = Config { webhook_timeout: Duration::from_secs(5), ..near() };
    let office = PostOffice::open(&directory, config).await;
    let (slow, quick) = (Receiver::open().await, Receiver::open().await);
    slow.always(Some(Reply::Never));
    let (slow_id, _) = office.subscribe(&office.acme, &slow, &["wallet.low"]).await;
    let (quick_id, _) = office.subscribe(&office.acme, &quick, &["payout.paid"]).await;
    // More than is looked at together, all of them older.
    office.happen("acme", NoticeKind::WalletLow, 700);
    slow.wait(4).await;
    let begun = Instant::now();
    office.happen("acme", NoticeKind::PayoutPaid, 20);
    quick.wait(20).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    office.wait(&quick_id, "delivered").await;
    assert_eq!(slow.messages().len(), 4, "no more than four at once");
    slow.wait(5).await;
    let tried = office.deliveries(&slow_id).await;
    let tried = tried.iter().find(|delivery| delivery["last_attempt"].is_object()).unwrap();
    assert_eq!(tried["last_attempt"]["error"], "no answer within 5s");
    // What is being sent may end first.
    let begun = Instant::now();
    office.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let directory = TempDir::new().unwrap();
    let office = PostOffice::open(&directory, near()).await;
    let (receiver, elsewhere) = (Receiver::open().await, Receiver::open().await);
    receiver.always(Some(Reply::To(elsewhere.url())));
    let (id, _) = office.subscribe(&office.acme, &receiver, &[]).await;
    office.happen("acme", NoticeKind::WalletLow, 1);
    receiver.wait(1).await;
    let delivery = settled(&office, &id, 1).await;
    assert_eq!((&delivery["state"], &delivery["last_attempt"]["status"]), (&json!("pending"), &json!(307)));
    assert_eq!(elsewhere.messages().len(), 0);
    office.stop().await;
}
