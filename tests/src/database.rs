//! Databases: made ready for some apps, and read back event by event.

use std::path::Path;

use serde_json::{Value, json};
use tollgate_core::store::{Sequence, Store as _, StoredEvent};
use tollgate_store::{Options, SqliteStore};

use crate::tollgate::Folder;

/// How many events are read at a time.
const PAGE: usize = 4_096;

/// Apps that are priced alike.
pub struct Priced<'a> {
    /// A bundled plugin.
    pub plugin: &'a str,
    /// Its settings, as JSON.
    pub settings: &'a str,
    /// The price book, as JSON.
    pub prices: &'a str,
    /// The apps' ids.
    pub apps: &'a [&'a str],
}

impl Priced<'_> {
    /// What the platform keeps of what exceeds the network cost.
    pub const PLATFORM_SHARE: &'static str = "0.2";

    /// Defines the apps, their Builder and their tariffs in the database of a directory.
    pub fn define(&self, folder: &Folder, data: &str) {
        folder.write("definitions.json", self.definitions().to_string());
        folder.run(&format!("define --data {data} definitions.json")).done();
    }

    fn definitions(&self) -> Value {
        let [settings, prices] = [self.settings, self.prices].map(|text| {
            let json: Value = serde_json::from_str(text).expect("JSON");
            json
        });
        let apps = self.apps.iter().map(|id| {
            json!({"id": id, "name": id, "builder": "builder", "currency": prices["currency"],
                "platform_share": Self::PLATFORM_SHARE, "surcharge_max": "10000", "price_book": "network"})
        });
        let tariffs = self.apps.iter().map(|app| {
            json!({"id": format!("tariff of {app}"), "app": app, "plugin": self.plugin, "settings": settings,
                "effective_from": "2000-01-01T00:00:00Z"})
        });
        json!({
            "builders": [{"id": "builder", "name": "Builder"}],
            "price_books": [{"id": "network", "prices": prices}],
            "apps": apps.collect::<Vec<_>>(),
            "tariffs": tariffs.collect::<Vec<_>>(),
        })
    }
}

/// Opens a database that no program need have open.
pub fn open(database: &Path) -> SqliteStore {
    SqliteStore::open(database, &Options::default()).expect("the database opens")
}

/// All events after a number, with what became of them, in the order of acceptance.
pub fn events_after(store: &SqliteStore, number: Sequence) -> Vec<StoredEvent> {
    let mut events: Vec<StoredEvent> = Vec::new();
    loop {
        let last = events.last().map_or(number, |event| event.sequence);
        let page = store.scan(last, PAGE).expect("the events can be read");
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}
