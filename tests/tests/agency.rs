//! An agency's month, as one conversation with the real server: two apps, three clients with their own
//! plugins and settings, usage, a tariff that changes in mid-month, a late event, a void, a close.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use serde_json::{Value, json};
use tollgate_tests::conversation::Conversation;
use tollgate_tests::server::{Client, Server};
use tollgate_tests::tollgate::Folder;

fn event(app: &str, id: &str, customer: &str, time: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": app, "type": "ai.usage", "subject": customer,
        "time": time, "data": data})
}

/// A report of so many pages that took so many tokens.
fn report(app: &str, id: &str, customer: &str, time: &str, (documents, tokens): (u32, u32)) -> Value {
    let measures = json!({"documents": documents, "input_tokens": tokens, "output_tokens": 1_000});
    event(
        app,
        id,
        customer,
        time,
        &json!({"feature": "reports", "model": "gpt-4o-mini", "measures": measures}),
    )
}

/// One call of a conversation of many.
fn chat(id: &str, customer: &str, time: &str, conversation: &str) -> Value {
    let data = json!({"feature": "support", "model": "gpt-4o-mini",
        "measures": {"input_tokens": 2_000, "output_tokens": 500}, "attributes": {"conversation": conversation}});
    event("smile", id, customer, time, &data)
}

/// The platform makes a Builder; the agency gets a key of its own.
fn founding(said: &mut Conversation, platform: &Client) -> Client {
    said.part("The platform sets the agency up");
    let prices = json!({"currency": "USD", "entries": [
        {"model": "gpt-4o-mini", "prices": [
            {"measure": "input_tokens", "price": "0.15", "per": 1_000_000},
            {"measure": "output_tokens", "price": "0.60", "per": 1_000_000}]}]});
    said.post(platform, "/v1/price-books", &json!({"id": "network", "prices": prices}));
    let terms = json!({"platform_share": "0.20", "surcharge_max": "100", "price_book": "network"});
    said.post(
        platform,
        "/v1/builders",
        &json!({"id": "brightside", "name": "Brightside", "app_terms": terms}),
    );
    let scope = json!({"type": "builder", "builder": "brightside"});
    let made = said.post(platform, "/v1/keys", &json!({"name": "Brightside", "scope": scope}));
    said.hide(made["key"].as_str().unwrap(), "(the agency's key)");
    said.hide(made["id"].as_str().unwrap(), "(its id)");
    platform.with_key(made["key"].as_str().unwrap())
}

/// Two apps, three clients, three tariffs by two plugins.
fn setting_up(said: &mut Conversation, agency: &Client) {
    said.part("The agency makes its apps, clients and tariffs");
    said.post(agency, "/v1/apps", &json!({"id": "smile", "name": "Smile Dental", "currency": "USD"}));
    let paris =
        json!({"id": "keystone", "name": "Keystone Realty", "currency": "USD", "time_zone": "Europe/Paris"});
    said.post(agency, "/v1/apps", &paris);
    let downtown = json!({"app": "smile", "id": "downtown", "name": "Downtown practice", "kind": "site",
        "attributes": {"region": "north"}, "limits": {"charge_max": "0.80", "usage_max": {"conversation": "4"}}});
    said.post(agency, "/v1/customers", &downtown);
    said.post(agency, "/v1/customers", &json!({"app": "keystone", "id": "north", "name": "North office"}));
    said.post(agency, "/v1/customers", &json!({"app": "keystone", "id": "south", "name": "South office"}));
    let conversations = json!({"id": "smile-2026", "app": "smile", "plugin": "conversation",
        "settings": {"attribute": "conversation", "included": "1", "price": "0.25"},
        "effective_from": "2026-01-01T00:00:00Z"});
    said.post(agency, "/v1/tariffs", &conversations);
    let documents = |id: &str, from: &str, price: &str| {
        json!({"id": id, "app": "keystone", "plugin": "included-overage", "effective_from": from,
            "settings": {"unit": "document", "count": "documents", "included": "5", "overage_price": price}})
    };
    said.post(agency, "/v1/tariffs", &documents("keystone-2026", "2026-01-01T00:00:00Z", "0.40"));
    let south = json!({"id": "south-2026", "app": "keystone", "customer": "south", "plugin": "cost-plus",
        "settings": {"margin": "0.5"}, "effective_from": "2026-01-01T00:00:00Z"});
    said.post(agency, "/v1/tariffs", &south);
    said.part("A price that cannot be is refused, with the place");
    said.post(agency, "/v1/tariffs", &documents("keystone-odd", "2026-01-01T00:00:00Z", "-1"));
}

fn using(said: &mut Conversation, agency: &Client) {
    said.part("A month of usage");
    let events = [
        chat("s1", "downtown", "2026-10-02T09:00:00Z", "anna"),
        chat("s2", "downtown", "2026-10-02T09:01:00Z", "anna"),
        chat("s3", "downtown", "2026-10-03T09:00:00Z", "ben"),
        report("keystone", "k1", "north", "2026-10-04T10:00:00Z", (4, 90_000)),
        report("keystone", "k2", "north", "2026-10-05T10:00:00Z", (3, 50_000)),
        report("keystone", "k3", "south", "2026-10-05T11:00:00Z", (1, 1_000_000)),
        report("keystone", "k2", "north", "2026-10-05T10:00:00Z", (3, 50_000)),
        report("keystone", "k2", "north", "2026-10-05T10:00:00Z", (9, 50_000)),
        report("nowhere", "k9", "north", "2026-10-05T10:00:00Z", (1, 1)),
        json!({"specversion": "1.0", "id": "k10", "source": "keystone"}),
        event(
            "keystone",
            "k11",
            "north",
            "2026-10-06T10:00:00Z",
            &json!({"model": "unheard-of", "measures": {"input_tokens": 1}}),
        ),
    ];
    said.send(agency, "/v1/events", &events);
    said.part("May the next one run, and at what price?");
    said.post(agency, "/v1/quotes", &chat("any", "downtown", "2026-10-07T09:00:00Z", "cleo"));
    said.part("How one charge came about");
    said.get(agency, "/v1/events/keystone/k2");
    said.part("What north has used");
    said.get(agency, "/v1/customers/north/usage?app=keystone&period=2026-10");
    said.get(agency, "/v1/customers/north/usage?app=keystone&period=2026-10&group_by=day,unit");
}

fn changing(said: &mut Conversation, agency: &Client) {
    said.part("A tariff changes in mid-month");
    let dearer = json!({"id": "keystone-mid-october", "app": "keystone", "plugin": "included-overage",
        "effective_from": "2026-10-15T00:00:00Z",
        "settings": {"unit": "document", "count": "documents", "included": "5", "overage_price": "0.60"}});
    said.post(agency, "/v1/tariffs", &dearer);
    said.send(
        agency,
        "/v1/events",
        &[
            report("keystone", "k4", "north", "2026-10-14T22:00:00Z", (1, 10_000)),
            report("keystone", "k5", "north", "2026-10-15T00:00:00Z", (1, 10_000)),
        ],
    );
    said.get(agency, "/v1/tariffs?app=keystone");
    said.part("What is held is told, and rated once the price is known");
    said.get(agency, "/v1/held?app=keystone");
    said.part("An event was a mistake: it is taken back, and the right one comes in its place");
    let right = report("keystone", "k5-right", "north", "2026-10-15T00:00:00Z", (2, 20_000));
    let void = json!({"reason": "counted one document too few", "replacement": right});
    said.post(agency, "/v1/events/keystone/k5/void", &void);
    said.part("Asked again, it is answered the same");
    said.post(agency, "/v1/events/keystone/k5/void", &void);
}

fn closing(said: &mut Conversation, agency: &Client) {
    said.part("The month is closed");
    said.post(agency, "/v1/apps/keystone/periods/2026-10/close", &json!({}));
    said.post(agency, "/v1/apps/keystone/periods/2026-10/close", &json!({}));
    said.part("An event of the closed month comes late: it counts in the next one");
    said.send(agency, "/v1/events", &[report("keystone", "k6", "north", "2026-10-31T12:00:00Z", (1, 1_000))]);
    said.part("Statements and earnings");
    said.get(agency, "/v1/customers/north/statements/2026-10?app=keystone");
    said.get(agency, "/v1/customers/north/statements/2026-11?app=keystone");
    said.get(agency, "/v1/customers/south/statements/2026-10?app=keystone");
    said.get(agency, "/v1/customers/downtown/statements/2026-10?app=smile");
    said.get(agency, "/v1/builders/brightside/earnings?period=2026-10&group_by=app,customer");
}

#[test]
fn an_agency_runs_its_month() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let mut said = Conversation::default();
    let agency = founding(&mut said, &server.platform());
    setting_up(&mut said, &agency);
    using(&mut said, &agency);
    changing(&mut said, &agency);
    closing(&mut said, &agency);
    let page = agency.ask(
        "GET",
        "/v1/customers/north/statements/2026-10?app=keystone",
        &[("accept", "text/html")],
        "",
    );
    assert_eq!((page.status, &*page.media_type), (200, "text/html; charset=utf-8"));
    insta::assert_snapshot!("the_agencys_month", said.transcript());
    insta::assert_snapshot!("a_statement_as_a_page", page.text);
    assert!(server.stop(), "it stops when asked");
    let proof = folder.run("ledger verify --data data").done();
    insta::assert_snapshot!("the_agencys_ledger", proof);
}
