//! A question reads the rows that it is about and no others: what stands elsewhere may even be damaged.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Value, json};
use tollgate_server::config::Config;
use tollgate_store::{Options, SqliteStore};

use crate::fixture::APP;
use crate::pages::{House, OTHER_APP, pages};

/// Writes what cannot be read: another app's closes, and an event of our customer's in the closed March.
fn damage(by_hand: &Connection) {
    let id = |word: &str| -> i64 {
        by_hand.query_row("SELECT id FROM names WHERE name = ?1", [word], |row| row.get(0)).unwrap()
    };
    let (app, other, customer) = (id(APP), id(OTHER_APP), id("legal"));
    let damage = format!(
        "INSERT INTO closings (app, period) VALUES ({other}, 202313);
         INSERT INTO closing_charges (app, customer, period, charge) VALUES ({other}, {customer}, 202404, x'63');
         INSERT INTO events (app, id, fingerprint, received, charge)
            VALUES ({app}, 'damaged', zeroblob(16), '{{}}', x'63');
         INSERT INTO placements (app, customer, period, sequence)
            VALUES ({app}, {customer}, 202403, last_insert_rowid());"
    );
    by_hand.execute_batch(&damage).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_asked_for_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tollgate.db");
    let store = Arc::new(SqliteStore::open(&path, &Options::default()).unwrap());
    let house = House::over(store, Config::default(), |server| server).await;
    let events = json!([pages(APP, "a", 1, 3), pages(APP, "c", 2, 4)]);
    house.write(&house.ingest, "/v1/events", &events).await;
    house.write(&house.globex, "/v1/events", &pages(OTHER_APP, "z", 1, 50)).await;
    house.write(&house.acme, &format!("/v1/apps/{APP}/periods/2024-03/close"), &Value::Null).await;
    house.write(&house.acme, &format!("/v1/events/{APP}/c/void"), &json!({"reason": "late"})).await;
    house.write(&house.ingest, "/v1/events", &pages(APP, "l", 3, 1)).await;
    damage(&Connection::open(&path).unwrap());

    let usage = "/v1/customers/legal/usage?group_by=day&period";
    let told = house.read(&house.acme, &format!("{usage}=2024-04")).await;
    let days: Vec<_> = told["groups"].as_array().unwrap().iter().map(|group| &group["charged"]).collect();
    assert_eq!(days, ["-8", "2"]);
    assert_eq!(house.get(&house.acme, &format!("{usage}=2024-03")).await.status(), 500);

    let earnings = "earnings?group_by=day&period=2024-04";
    let told = house.read(&house.acme, &format!("/v1/builders/acme/{earnings}")).await;
    let days: Vec<_> =
        told["data"].as_array().unwrap().iter().map(|row| (&row["group"]["day"], &row["total"])).collect();
    assert_eq!(days, [(&json!("2024-03-02"), &json!("-8")), (&json!("2024-03-03"), &json!("2"))]);
    assert_eq!(house.get(&house.globex, &format!("/v1/builders/globex/{earnings}")).await.status(), 500);

    let statement = "/v1/customers/legal/statements/2024-03";
    let told = house.read(&house.customer, statement).await;
    assert_eq!((&told["closed"], &told["total"]), (&json!(true), &json!("19")));
    let theirs = house.get(&house.globex, &format!("{statement}?app={OTHER_APP}")).await;
    assert_eq!(theirs.status(), 500);
}
