//! What a person does to pay Builders, take money in and compare it with the bank, by the command line.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop where it stands

use rusqlite::Connection;
use serde_json::{Value, json};
use tollgate_tests::tollgate::{Answer, Folder};

const FLAGS: &str = "--data data --period 2023-11";
const PAYER: &str = "--payer-name Platform --payer-iban CH9300762011623852957";

fn builder(id: &str, minimum: &str, iban: &str) -> Value {
    json!({"id": id, "name": id.to_uppercase(), "payouts": {"minimum": {"EUR": minimum},
        "destination": {"to": "bank", "name": id, "iban": iban}}})
}

fn app(id: &str, builder: &str) -> Value {
    json!({"id": id, "name": id, "builder": builder, "currency": "EUR", "surcharge_max": "1000", "price_book": "p"})
}

fn tariff(app: &str) -> Value {
    json!({"id": app, "app": app, "plugin": "included-overage", "effective_from": "2023-01-01T00:00:00Z",
        "settings": {"unit": "document", "count": "documents", "included": "0", "overage_price": "0.333"}})
}

fn event(app: &str, id: &str, documents: u32) -> String {
    let event = json!({"specversion": "1.0", "id": id, "source": app, "type": "t", "subject": "legal",
        "time": "2023-11-03T10:00:00Z", "data": {"provider": "openai", "model": "m",
        "measures": {"documents": documents, "input_tokens": 1_000_000}}});
    format!("{event}\n")
}

/// A folder whose `data` holds a closed month of three Builders: 32.30, 65.60 and 0.665 EUR earned.
fn month() -> Folder {
    let folder = Folder::new();
    let prices = json!({"currency": "EUR", "entries": [
        {"model": "m", "prices": [{"measure": "input_tokens", "price": "1", "per": 1_000_000}]}]});
    let definitions = json!({
        "builders": [
            builder("acme", "10", "GB29NWBK60161331926819"),
            builder("beta", "10", "NL91ABNA0417164300"),
            builder("tiny", "10", "DE89370400440532013000"),
        ],
        "price_books": [{"id": "p", "prices": prices}],
        "apps": [app("docs", "acme"), app("notes", "beta"), app("memo", "tiny")],
        "tariffs": [tariff("docs"), tariff("notes"), tariff("memo")],
    });
    folder.write("definitions.json", definitions.to_string());
    folder
        .write("events.jsonl", event("docs", "a", 100) + &event("notes", "b", 200) + &event("memo", "c", 5));
    folder.run("define --data data definitions.json").done();
    folder.run("record --data data --strict events.jsonl").done();
    for app in ["docs", "notes", "memo"] {
        folder.run(&format!("close --data data --app {app} --period 2023-11")).done();
    }
    folder
}

/// The same with everything agreed to that is payable.
fn approved() -> Folder {
    let folder = month();
    folder.run(&format!("payout run {FLAGS}")).done();
    folder.run(&format!("payout approve {FLAGS}")).done();
    folder
}

fn states(folder: &Folder) -> Vec<String> {
    let list = folder.run(&format!("payout list {FLAGS} --format json")).done();
    let payouts = list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    payouts.map(|payout| format!("{} {}", payout["builder"], payout["state"]).replace('"', "")).collect()
}

fn file(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path(name)).unwrap()
}

/// The payment files in the data directory.
fn kept(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path("data/payment-files")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "lock");
    names.sort();
    names
}

#[test]
fn a_month_is_planned_agreed_to_paid_and_explained() {
    let folder = month();
    let dry = folder.run(&format!("payout run {FLAGS} --dry-run")).done();
    assert_eq!(states(&folder), Vec::<String>::new());
    let planned = folder.run(&format!("payout run {FLAGS}")).done();
    assert_eq!(
        folder.run(&format!("payout run {FLAGS}")).done(),
        planned,
        "running it again changes nothing"
    );
    let agreed = folder.run(&format!("payout approve {FLAGS}")).done();
    let exported = folder.run(&format!("payout export {FLAGS} {PAYER} --output bank.xml")).done();
    let nothing_more = folder.run(&format!("payout export {FLAGS} {PAYER} --output more.xml"));
    assert!(!folder.path("more.xml").exists());
    let paid = folder.run(&format!("payout paid {FLAGS} --builder acme")).done();
    let returned = folder.run(&format!("payout returned {FLAGS} --builder beta --reason closed")).done();
    let listed = folder.run("payout list --data data").done();
    let unknown = folder.run(&format!("payout show {FLAGS} --builder tiny"));
    let told = [&dry, &planned, &agreed, &exported, &nothing_more.in_words(), &paid, &returned, &listed];
    let told = told.map(String::as_str).join("\n") + "\n" + &unknown.in_words();
    insta::assert_snapshot!(without_times(&told));
    let page = folder.run(&format!("payout remittance {FLAGS} --builder acme --payer-name Platform")).done();
    for words in ["Platform", "ACME (acme)", "GB29 … 6819", "Earned by docs, 2023-11", "legal", "32.30 EUR"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    folder.run("ledger verify --data data").done();
    // What came back is payable again, with the next payout.
    folder.run("close --data data --app notes --period 2023-12").done();
    let next = folder.run("payout run --data data --period 2023-12 --format json").json();
    let next = &next["payouts"][0];
    assert_eq!(
        (&next["builder"], &next["brought_forward"], &next["amount"]),
        (&json!("beta"), &json!("65.6"), &json!("65.6"))
    );
}

/// Lines that tell a time, and names that are made of one, are left out.
fn without_times(text: &str) -> String {
    let has_none = |line: &&str| {
        !["  Planned: ", "  Arrived: ", "  Submitted: "].iter().any(|told| line.starts_with(told))
    };
    let untimed = |line: &str| match line.split_once("Came back: ") {
        Some((before, after)) => {
            let reason = after.split_once(" UTC: ").unwrap().1;
            format!("{before}Came back: {reason}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().filter(has_none).map(untimed).collect()
}

#[test]
fn a_payment_file_can_be_written_again_and_never_overwrites() {
    let folder = approved();
    folder.write("taken.xml", "mine");
    let taken = folder.run(&format!("payout export {FLAGS} {PAYER} --output taken.xml"));
    assert_eq!((taken.code, &*file(&folder, "taken.xml")), (3, "mine"), "{}", taken.in_words());
    let no_payer = folder.run(&format!("payout export {FLAGS} --output bank.xml"));
    assert_eq!(no_payer.code, 3, "{}", no_payer.in_words());
    assert_eq!(states(&folder), ["acme approved", "beta approved"], "nothing was done");
    folder.run(&format!("payout export {FLAGS} {PAYER} --output bank.xml")).done();
    assert_eq!(states(&folder), ["acme submitted", "beta submitted"]);
    folder.run(&format!("payout paid {FLAGS} --builder acme")).done();
    folder.run(&format!("payout export {FLAGS} --again --output copy.xml")).done();
    assert_eq!(file(&folder, "copy.xml"), file(&folder, "bank.xml"));
    folder.run(&format!("payout export {FLAGS} --again --output copy.xml")).done();
    let other = folder.run(&format!("payout export {FLAGS} --again --output taken.xml"));
    assert_eq!(other.code, 3, "{}", other.in_words());
    let table = approved();
    table.run(&format!("payout export {FLAGS} --format csv --output bank.csv")).done();
    insta::assert_snapshot!(file(&table, "bank.csv").replace('\r', ""));
}

/// As after a power cut: the file is there, and some of its payouts are marked.
#[test]
fn an_export_that_was_cut_off_pays_everyone_once() {
    let (whole, cut) = (approved(), approved());
    whole.run(&format!("payout export {FLAGS} {PAYER} --output bank.xml")).done();
    let [made] = <[String; 1]>::try_from(kept(&whole)).unwrap();
    for marked in [vec![], vec!["acme"], vec!["acme", "beta"]] {
        let folder = Folder::new();
        std::fs::create_dir_all(folder.path("data/payment-files")).unwrap();
        cut.run(&format!("backup --data data copy-{}.db", marked.len())).done();
        let copy = cut.path(&format!("copy-{}.db", marked.len()));
        std::fs::copy(copy, folder.path("data/tollgate.db")).unwrap();
        folder.write(
            &format!("data/payment-files/{made}.part"),
            file(&whole, &format!("data/payment-files/{made}")),
        );
        let database = Connection::open(folder.path("data/tollgate.db")).unwrap();
        let source = whole.path("data/tollgate.db").display().to_string();
        database.execute("ATTACH ?1 AS whole", [source]).unwrap();
        for builder in &marked {
            let step = "UPDATE records SET version = version + 1, body = (SELECT body FROM whole.records AS other \
                WHERE other.kind = records.kind AND other.owner = records.owner AND other.id = records.id) \
                WHERE kind = 'payout' AND owner = ?1";
            assert_eq!(database.execute(step, [builder]).unwrap(), 1);
        }
        drop(database);
        folder.run(&format!("payout export {FLAGS} {PAYER} --output bank.xml")).done();
        let bank = file(&folder, "bank.xml");
        assert_eq!(bank.matches("<CdtTrfTxInf>").count(), 2, "{bank}");
        assert_eq!(states(&folder), ["acme submitted", "beta submitted"]);
        assert_eq!(kept(&folder), [made.as_str()]);
        let again = folder.run(&format!("payout export {FLAGS} {PAYER} --output more.xml"));
        assert_eq!(again.code, 3, "{}", again.in_words());
        folder.run("ledger verify --data data").done();
    }
}

#[test]
fn settings_come_by_their_order_and_secrets_are_never_printed() {
    let folder = approved();
    folder.write(
        "config.toml",
        "[payer]\nname = 'File'\niban = 'CH9300762011623852957'\n\
        [payments.stripe]\nsecret_key = 'sk_file_secret'\nwebhook_secret = 'whsec_c2VjcmV0'\n",
    );
    let with = |arguments: &str, environment: &[(&str, &str)]| -> Answer {
        folder.command(arguments).envs(environment.iter().copied()).output().unwrap().into()
    };
    let shown = with(
        "serve --data data --print-config --config config.toml",
        &[
            ("TOLLGATE_PAYMENTS_STRIPE_SECRET_KEY", "sk_environment_secret"),
            ("TOLLGATE_PAYER_BIC", "UBSWCHZH"),
        ],
    );
    let shown = shown.done();
    assert!(!shown.contains("sk_") && !shown.contains("whsec"), "{shown}");
    let money = shown.split_once("[payer]").unwrap().1;
    insta::assert_snapshot!(money);
    for broken in [
        "[payments.stripe]\nsecret_key = sk_1\n",
        "[payments.stripe]\nsecret = 'sk_1'\n",
        "[payments.stripe]\nsecret_key = 'sk_1'\n",
        "[payments.other]\nsecret_key = 'sk_1'\n",
    ] {
        folder.write("broken.toml", broken);
        let refused = folder.run("serve --data data --config broken.toml");
        assert_eq!(refused.code, 3, "{}", refused.in_words());
        assert!(!refused.errors.contains("sk_1"), "{}", refused.errors);
    }
    let page = |flags: &str, environment: &[(&str, &str)]| {
        with(&format!("payout remittance {FLAGS} --builder acme --config config.toml {flags}"), environment)
            .done()
    };
    let environment = [("TOLLGATE_PAYER_NAME", "Environment")];
    assert!(page("", &[]).contains("<dd>File</dd>"));
    assert!(page("", &environment).contains("<dd>Environment</dd>"));
    assert!(page("--payer-name Flag", &environment).contains("<dd>Flag</dd>"));
}

#[test]
fn money_comes_in_is_given_back_and_every_difference_has_a_name() {
    let folder = month();
    let customer = "--data data --app docs --customer legal";
    let said = |arguments: &str| format!("$ tollgate {arguments}\n{}\n\n", folder.run(arguments).in_words());
    let mut told = String::new();
    for arguments in [
        format!("wallet set {customer} --credit-limit 5 --low-below 1.50"),
        format!(
            "wallet grant {customer} --id hello --amount 2 --funder builder --effective-at 2023-11-01T00:00:00Z"
        ),
        format!(
            "wallet grant {customer} --id hello --amount 2 --funder builder --effective-at 2023-11-01T00:00:00Z"
        ),
        format!(
            "wallet grant {customer} --id hello --amount 3 --funder builder --effective-at 2023-11-01T00:00:00Z"
        ),
        format!("payment request {customer} --id one --amount 40"),
        "payment received --data data --app docs --id one".to_owned(),
        "payment received --data data --app docs --id two".to_owned(),
        "payment list --data data".to_owned(),
        "refund --data data --app docs --event a --id r --amount 0.3 --borne-by builder --reason slow"
            .to_owned(),
        "refund --data data --app docs --event a --id s --amount 90 --borne-by builder --reason slow"
            .to_owned(),
        format!("wallet show {customer}"),
        "providers owed --data data".to_owned(),
        "providers report --data data --provider openai --period 2023-11".to_owned(),
        "providers settle --data data --provider openai --currency EUR --amount 2 --reference INV-1"
            .to_owned(),
        "providers settle --data data --provider openai --currency EUR --reference INV-2".to_owned(),
    ] {
        told += &said(&arguments);
    }
    insta::assert_snapshot!(told);
    let payment: Value =
        serde_json::from_str(&folder.run("payment list --data data --format json").done()).unwrap();
    let (reference, head) =
        (payment["reference"].as_str().unwrap(), "id,kind,reference,amount,fee,currency,at\n");
    let at = jiff::Timestamp::from_millisecond(payment["at"].as_i64().unwrap()).unwrap();
    folder.write("same.csv", format!("{head}b1,payment,{reference},40,,EUR,{at}\n"));
    folder.write(
        "other.csv",
        format!("{head}b1,payment,{reference},39,,EUR,{at}\nb2,payment,RF00,7,,EUR,{at}\n"),
    );
    let same = folder.run("reconcile --data data --provider manual --report same.csv");
    let other = folder.run("reconcile --data data --provider manual --report other.csv");
    assert_eq!((same.code, other.code), (0, 6));
    let from_second_line = |text: &str| text.lines().skip(1).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(from_second_line(&same.output) + "\n\n" + &from_second_line(&other.output));
    folder.run("ledger verify --data data").done();
}
