//! A plugin that charges 2 for every page and 5 at a period's end, an engine of two Builders that use it, and
//! a client that holds keys.

use std::sync::Arc;

use serde_json::{Value, json};
use tollgate_core::access::Scope;
use tollgate_core::catalog::Definition;
use tollgate_core::engine::Engine;
use tollgate_core::frame::{Counted, Fault, Frame, Metered, Rated, Totals};
use tollgate_core::plugin::{
    Aggregation, Descriptor, Digest, LineDeclaration, LineKind, Problem, UnitDeclaration,
};
use tollgate_core::pricer::{Pricer, PricerError, Pricing};
use tollgate_core::store::Store;
use tollgate_server::config::Config;
use tollgate_server::server::Server;
use tollgate_store::MemoryStore;

use crate::fixture::{APP, Answer, Running, engine_with};

/// The app of the other Builder.
pub const OTHER_APP: &str = "globex-chat";

struct TwoAPage;

struct TwoAPageRun(u64);

impl Pricer for TwoAPage {
    fn admit(&self, component: &[u8]) -> Result<(Digest, Descriptor), PricerError> {
        let line = |code: &str, title: &str| LineDeclaration {
            code: code.to_owned(),
            title: title.to_owned(),
            unit: "page".to_owned(),
            kind: LineKind::Charge,
        };
        let unit = UnitDeclaration {
            name: "page".to_owned(),
            aggregation: Aggregation::Sum,
            pooled: false,
            group_by: Vec::new(),
        };
        let descriptor = Descriptor {
            name: "two-a-page".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Charges 2 for every page.".to_owned(),
            units: vec![unit],
            lines: vec![line("pages", "Pages read"), line("base", "Base fee")],
            refusals: Vec::new(),
            settings_schema: "{}".to_owned(),
        };
        Ok((Digest::of(component), descriptor))
    }

    fn check(&self, _: &Digest, _: &str) -> Result<Vec<Problem>, PricerError> {
        Ok(Vec::new())
    }

    fn open<'a>(&'a self, _: &Digest, _: &'a str) -> Result<Box<dyn Pricing + 'a>, PricerError> {
        Ok(Box::new(TwoAPageRun(0)))
    }

    fn fuel_budget(&self, rows: usize) -> u64 {
        1_000_000 * rows as u64
    }
}

impl Pricing for TwoAPageRun {
    fn meter(&mut self, frame: &Frame) -> Result<Metered, PricerError> {
        self.0 += 10 * u64::from(frame.rows);
        let rows = frame.rows as usize;
        let pages = frame.numbers.iter().find(|column| column.name == "measure:pages");
        let quantities = pages.map_or_else(|| vec![0; 2 * rows], |column| column.words.clone());
        let mut metered = Metered::default();
        for (event, words) in (0..).zip(quantities.chunks(2)) {
            // Thirteen pages bring bad luck: such an event is not priced.
            if words[0] == 13 {
                metered.faults.push(Fault { event, message: "13 pages".to_owned() });
                metered.counts.push(0);
                continue;
            }
            metered.counts.push(1);
            metered.units.push(0);
            metered.keys.push(0);
            metered.quantities.extend(words);
        }
        Ok(metered)
    }

    fn rate(&mut self, _: &Frame, counted: &Counted) -> Result<Rated, PricerError> {
        let rows = counted.units.len();
        Ok(Rated {
            counts: counted.counts.clone(),
            lines: vec![0; rows],
            quantities: counted.quantities.clone(),
            unit_prices: [2, 0].repeat(rows),
            amounts: counted.quantities.chunks(2).flat_map(|words| [2 * words[0], 0]).collect(),
            ..Rated::default()
        })
    }

    fn close(&mut self, frame: &Frame, _: &Totals) -> Result<Rated, PricerError> {
        let rows = frame.rows as usize;
        Ok(Rated {
            counts: vec![1; rows],
            lines: vec![1; rows],
            quantities: [1, 0].repeat(rows),
            unit_prices: [5, 0].repeat(rows),
            amounts: [5, 0].repeat(rows),
            ..Rated::default()
        })
    }

    fn fuel_spent(&self) -> u64 {
        self.0
    }
}

fn engine(store: Arc<dyn Store>) -> Arc<Engine> {
    let engine = engine_with(store, Arc::new(TwoAPage));
    let (plugin, _) = engine.add_plugin(b"two-a-page", None).unwrap();
    let tariff = |id: &str, app: &str| json!({"tariff": {"id": id, "app": app, "plugin": plugin, "settings": "{}", "effective_from": 0}});
    let definitions = json!([
        {"builder": {"id": "globex", "name": "Globex"}},
        {"app": {"id": OTHER_APP, "name": "Chat", "builder": "globex", "currency": "USD",
            "time_zone": "America/New_York", "platform_share": "0.2", "surcharge_max": "1000",
            "price_book": "network"}},
        {"app": {"id": APP, "name": "Docs", "builder": "acme", "currency": "USD", "time_zone": "UTC",
            "platform_share": "0.2", "surcharge_max": "1000", "price_book": "network"}},
        tariff("docs", APP),
        tariff("chat", OTHER_APP),
    ]);
    let definitions: Vec<Definition> = serde_json::from_str(&definitions.to_string()).unwrap();
    for definition in definitions {
        engine.define(&definition).unwrap();
    }
    engine
}

/// An event of so many pages, on a day of March 2024.
pub fn pages(app: &str, id: &str, day: u32, pages: u32) -> Value {
    json!({"specversion": "1.0", "id": id, "source": app, "type": "ai.usage", "subject": "legal",
        "time": format!("2024-03-{day:02}T12:00:00Z"),
        "data": {"feature": "review", "measures": {"pages": pages}, "attributes": {"project": "x"}}})
}

/// A server with a key of every kind.
pub struct House {
    pub running: Running,
    pub platform: String,
    pub acme: String,
    pub globex: String,
    pub ingest: String,
    pub customer: String,
}

impl House {
    pub async fn open() -> Self {
        Self::over(Arc::new(MemoryStore::new()), Config::default(), |server| server).await
    }

    /// The same over a store, and with what else the server is composed of.
    pub async fn over(store: Arc<dyn Store>, config: Config, compose: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::new(engine(store), Arc::new(MemoryStore::new()), config).unwrap();
        let running = Running::serving(compose(server)).await;
        let key = |scope| running.backend.keys.make("test", scope, None, 0).unwrap().1;
        let builder = |builder: &str| Scope::Builder { builder: builder.to_owned() };
        Self {
            platform: key(Scope::Platform),
            acme: key(builder("acme")),
            globex: key(builder("globex")),
            ingest: key(Scope::AppIngest { app: APP.to_owned() }),
            customer: key(Scope::CustomerRead { app: APP.to_owned(), customer: "legal".to_owned() }),
            running,
        }
    }

    pub async fn get(&self, key: &str, path: &str) -> Answer {
        self.running.ask(&format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {key}"), b"").await
    }

    pub async fn post(&self, key: &str, path: &str, media_type: &str, body: &str) -> Answer {
        let head =
            format!("POST {path} HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-type: {media_type}");
        self.running.ask(&head, body.as_bytes()).await
    }

    /// What there is to read at a path: it must be there.
    pub async fn read(&self, key: &str, path: &str) -> Value {
        done(&self.get(key, path).await)
    }

    /// What a write is answered: it must be done.
    pub async fn write(&self, key: &str, path: &str, body: &Value) -> Value {
        done(&self.post(key, path, "application/json", &body.to_string()).await)
    }
}

/// The body of an answer that must be 200.
pub fn done(answer: &Answer) -> Value {
    assert_eq!(answer.status(), 200, "{}\n{}", answer.head, answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).unwrap()
}
