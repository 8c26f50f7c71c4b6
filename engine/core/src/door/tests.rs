//! What the door lets in, what it says to the rest, and what must always hold.

use proptest::prelude::*;

use super::*;
use crate::quantity::Quantity;

const GOOD: &str = r#"{"specversion":"1.0","id":"req-1","source":"acme-code","type":"ai.usage","subject":"workspace-00","time":"2023-11-16T18:15:46.680Z","data":{"feature":"code-review","route":"default","model":"gpt-4o-mini","measures":{"input_tokens":480,"output_tokens":27},"attributes":{"conversation":"c00-0"}}}"#;

/// The good event with one piece of its text exchanged.
fn with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    GOOD.replacen(old, new, 1)
}

/// The good event with other measures, or whatever else stands after the model.
fn with_rest_of_data(rest: &str) -> String {
    let (head, _) = GOOD.split_once(r#","measures""#).unwrap();
    format!("{head},{rest}}}}}")
}

fn good(text: &str) -> Event {
    parse(text.as_bytes()).unwrap_or_else(|rejected| panic!("{rejected}\n{text}"))
}

fn measures(event: &Event) -> Vec<(&str, String)> {
    event.measures.iter().map(|(name, quantity)| (name.as_str(), quantity.to_string())).collect()
}

#[test]
fn an_event_is_read_whole() {
    let event = good(GOOD);
    assert_eq!((event.key.app.as_str(), event.key.id.as_str()), ("acme-code", "req-1"));
    assert_eq!((event.customer.as_str(), event.time), ("workspace-00", 1_700_158_546_680));
    assert_eq!((event.feature.as_str(), event.route.as_str()), ("code-review", "default"));
    assert_eq!((event.model.as_str(), event.provider.as_str()), ("gpt-4o-mini", ""));
    assert_eq!(measures(&event), [("input_tokens", "480".into()), ("output_tokens", "27".into())]);
    assert_eq!(event.attributes, [("conversation".to_owned(), "c00-0".to_owned())]);
    assert_eq!(event.reported_cost, None);
    assert_eq!(&*event.received, GOOD);
}

#[test]
fn blanks_that_mean_nothing_are_not_kept() {
    let spaced = GOOD.replace(":{", ": {\n\t ").replace("\":\"", "\" :\r\n \"").replace('}', "  }");
    assert!(spaced.len() > GOOD.len() + 20);
    let text = with("code-review", r#"a \"b  c\\\\"#);
    let event = good(&text.replace(',', " ,  "));
    assert_eq!((&*event.received, event.feature.as_str()), (text.as_str(), r#"a "b  c\\"#));
    assert_eq!(&*good(&spaced).received, GOOD);
    assert_eq!(good(&spaced).fingerprint, good(GOOD).fingerprint);
}

#[test]
fn what_may_differ_is_let_in() {
    let bytes = format!("\u{feff} {GOOD}\r\n");
    assert_eq!(&*parse(bytes.as_bytes()).unwrap().received, GOOD);
    for name in ["transaction_id", "idempotency_key", "identifier"] {
        assert_eq!(good(&with(r#""id""#, &format!("{name:?}"))).key.id, "req-1");
    }
    for (time, milliseconds) in [
        ("2023-11-16T20:15:46.6809999+02:00", 1_700_158_546_680),
        ("2023-11-16t18:15:46z", 1_700_158_546_000),
        ("1969-12-31T23:59:59.9995Z", -1),
    ] {
        assert_eq!(good(&with("2023-11-16T18:15:46.680Z", time)).time, milliseconds, "{time}");
    }
    for extra in [
        r#""datacontenttype":"application/json; charset=utf-8","#,
        r#""datacontenttype":"application/vnd.acme+json","#,
        r#""traceparent":"00-ab","dataschema":null,"acmenumber":7,"#,
    ] {
        assert_eq!(good(&with("{", &format!("{{{extra}"))).fingerprint, good(GOOD).fingerprint, "{extra}");
    }
    let bare = good(&with_rest_of_data(r#""measures":null"#));
    assert!(bare.measures.is_empty() && bare.attributes.is_empty());
    let escaped = good(&with("c00-0", r"caf\u00e9 \ud83d\ude00"));
    assert_eq!(escaped.attributes[0].1, "café 😀");
}

#[test]
fn numbers_are_exact() {
    for (written, read) in [
        ("0.1", "0.1"),
        ("\"12.50\"", "12.5"),
        ("1.5e3", "1500"),
        ("999999999999999.999999999", "999999999999999.999999999"),
        ("-0", "0"),
    ] {
        assert_eq!(good(&with("480", written)).measures[0].1.to_string(), read);
    }
    let event = good(&with_rest_of_data(
        r#""network_cost":"0.000420001","attributes":{"seats":12,"beta":true,"none":null}"#,
    ));
    assert_eq!(event.reported_cost.unwrap().to_string(), "0.000420001");
    assert_eq!(
        event.attributes,
        [("beta".to_owned(), "true".to_owned()), ("seats".to_owned(), "12".to_owned())]
    );
}

#[test]
fn a_usage_object_becomes_disjoint_measures() {
    let expected = [
        ("cache_read_tokens", "100".to_owned()),
        ("input_tokens", "20".to_owned()),
        ("output_tokens", "7".to_owned()),
    ];
    for usage in [
        r#""usage":{"prompt_tokens":120,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":100}}"#,
        r#""usage":{"input_tokens":20,"cache_read_input_tokens":100,"cache_creation_input_tokens":0,"output_tokens":7}"#,
        r#""usageMetadata":{"promptTokenCount":120,"cachedContentTokenCount":100,"candidatesTokenCount":7}"#,
        r#""gen_ai.usage.input_tokens":120,"gen_ai.usage.cache_read.input_tokens":100,"gen_ai.usage.output_tokens":7"#,
    ] {
        assert_eq!(measures(&good(&with_rest_of_data(usage))), expected, "{usage}");
    }
    let both = good(&with_rest_of_data(
        r#""usage":{"prompt_tokens":5,"completion_tokens":0},"measures":{"documents":2}"#,
    ));
    assert_eq!(measures(&both), [("documents", "2".to_owned()), ("input_tokens", "5".to_owned())]);
}

/// Every way to be wrong, and what the sender is told.
fn bad_inputs() -> Vec<(&'static str, String)> {
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let many = |of: &str| (0..65).map(|n| format!("\"k{n}\":{of}")).collect::<Vec<_>>().join(",");
    vec![
        ("empty", " ".to_owned()),
        ("malformed", with("\"id\":", "\"id\"")),
        ("cut off", GOOD.get(..100).unwrap().to_owned()),
        ("two events on a line", format!("{GOOD}{GOOD}")),
        ("no JSON", "req-1,acme,480".to_owned()),
        ("a list", "[1]".to_owned()),
        ("a string", "\"event\"".to_owned()),
        ("a number", "12".to_owned()),
        ("key twice", with("\"id\"", "\"id\":\"a\",\"id\"")),
        ("too many keys", with("{", &format!("{{{},{},", many("1"), many("1").replace('k', "j")))),
        ("too long", with("c00-0", &"x".repeat(EVENT_BYTES_MAX))),
        ("no specversion", with("\"specversion\":\"1.0\",", "")),
        ("wrong specversion", with("\"1.0\"", "\"0.3\"")),
        ("specversion as a number", with("\"1.0\"", "1.0")),
        ("no id", with("\"id\":\"req-1\",", "")),
        ("id as a number", with("\"req-1\"", "17")),
        ("empty id", with("\"req-1\"", "\"\"")),
        ("long id", with("req-1", &long)),
        ("control character", with("req-1", "req\\n1")),
        ("half a character", with("req-1", "\\ud800")),
        ("no source", with("\"source\":\"acme-code\",", "")),
        ("no type", with("\"type\":\"ai.usage\",", "")),
        ("no subject", with("\"subject\":\"workspace-00\",", "")),
        ("null subject", with("\"workspace-00\"", "null")),
        ("empty subject", with("workspace-00", "")),
        ("no time", with("\"time\":\"2023-11-16T18:15:46.680Z\",", "")),
        ("time without offset", with("46.680Z", "46.680")),
        ("time that is none", with("2023-11-16T18", "2023-11-31T18")),
        ("time with an offset that is none", with("46.680Z", "46.680+25:00")),
        ("time as a number", with("\"2023-11-16T18:15:46.680Z\"", "1700158546")),
        ("time with a zone name", with("46.680Z", "46.680Z[Europe/Berlin]")),
        ("no data", GOOD.split_once(",\"data\"").unwrap().0.to_owned() + "}"),
        ("data as text", GOOD.split_once("\"data\"").unwrap().0.to_owned() + "\"data\":\"{}\"}"),
        ("data in base 64", GOOD.split_once("\"data\"").unwrap().0.to_owned() + "\"data_base64\":\"e30=\"}"),
        ("data is not JSON", with("{", "{\"datacontenttype\":\"text/xml\",")),
        ("model as a number", with("\"gpt-4o-mini\"", "4")),
        ("field of data twice", with("\"route\"", "\"model\":\"x\",\"route\"")),
        ("measures as a list", with_rest_of_data("\"measures\":[480]")),
        ("measure is null", with("480", "null")),
        ("measure is a word", with("480", "\"many\"")),
        ("measure is true", with("480", "true")),
        ("measure is negative", with("480", "-5")),
        ("measure is over-precise", with("480", "0.1234567891")),
        ("measure is too large", with("480", "1e15")),
        ("measure twice", with("\"output_tokens\"", "\"input_tokens\"")),
        ("measure without a name", with("\"output_tokens\"", "\"\"")),
        ("measure of OpenTelemetry", with("\"output_tokens\"", "\"gen_ai.usage.input_tokens\"")),
        ("too many measures", with_rest_of_data(&format!("\"measures\":{{{}}}", many("1")))),
        ("too many attributes", with_rest_of_data(&format!("\"attributes\":{{{}}}", many("\"a\"")))),
        ("attribute is an object", with("\"c00-0\"", "{\"id\":1}")),
        ("long attribute", with("c00-0", &"x".repeat(ATTRIBUTE_BYTES_MAX + 1))),
        ("network cost is negative", with_rest_of_data("\"network_cost\":\"-0.1\"")),
        ("network cost is over-precise", with_rest_of_data("\"network_cost\":\"0.0000000001\"")),
        ("network cost is too large", with_rest_of_data("\"network_cost\":\"9999999999\"")),
        ("network cost is a word", with_rest_of_data("\"network_cost\":\"free\"")),
        ("usage as a list", with_rest_of_data("\"usage\":[]")),
        ("usage of no known shape", with_rest_of_data("\"usage\":{\"tokens\":5}")),
        (
            "cached exceeds input",
            with_rest_of_data(
                r#""usage":{"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":30}}"#,
            ),
        ),
        ("usage count is a fraction", with_rest_of_data("\"usage\":{\"prompt_tokens\":1.5}")),
        ("usage beside measures", with("\"attributes\"", "\"usage\":{\"prompt_tokens\":3},\"attributes\"")),
        (
            "two usage objects",
            with_rest_of_data("\"usage\":{\"prompt_tokens\":3},\"usageMetadata\":{\"promptTokenCount\":3}"),
        ),
    ]
}

#[test]
fn every_refusal_names_the_field_the_fault_and_the_remedy() {
    let mut table = Vec::new();
    for (what, input) in bad_inputs() {
        let rejected = parse(input.as_bytes()).expect_err(what);
        table.push(format!("{what} [{}]\n    {rejected}", rejected.id.get(..5).unwrap_or("")));
    }
    let rejected = parse(b"{\"id\":\"\xff\"}").unwrap_err();
    table.push(format!("bytes that are no text []\n    {rejected}"));
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("refusals", table.join("\n"));
    });
}

#[test]
fn lines_are_numbered_and_blank_ones_skipped() {
    let text = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}";
    let lines: Vec<(usize, &[u8])> = lines(text).collect();
    assert_eq!(lines, [(1, &b"{\"a\":1}\r"[..]), (4, &b"{\"b\":2}"[..])]);
    assert_eq!(super::lines(b"").count(), 0);
}

#[test]
fn a_batch_is_a_list_of_events() {
    let text = format!("\u{feff} [ {GOOD} , {{\"id\":\"x\"}}, 3 ]\n");
    let events = batch(text.as_bytes()).unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!(parse(events[0].as_bytes()).unwrap(), good(GOOD));
    assert_eq!(parse(events[1].as_bytes()).unwrap_err().id, "x");
    assert!(parse(events[2].as_bytes()).is_err());
    for (text, message) in [
        (
            "",
            "batch is not JSON: EOF while parsing a value at column 0; a batch is a JSON list of events, [{…},{…}]",
        ),
        (
            "[{},",
            "batch is not JSON: EOF while parsing a value at column 4; a batch is a JSON list of events, [{…},{…}]",
        ),
        ("{\"a\":1}", "batch is an object, not a list; a batch is a JSON list of events, [{…},{…}]"),
        ("7", "batch is a number, not a list; a batch is a JSON list of events, [{…},{…}]"),
    ] {
        assert_eq!(batch(text.as_bytes()).unwrap_err().to_string(), message);
    }
}

#[test]
fn the_fingerprint_covers_every_word() {
    let changed = [
        with("acme-code", "acme-cod"),
        with("req-1", "req-2"),
        with("workspace-00", "workspace-01"),
        with("46.680Z", "46.681Z"),
        with("code-review", "code"),
        with("\"default\"", "\"premium\""),
        with("gpt-4o-mini", "gpt-4o"),
        with("\"route\"", "\"provider\":\"openai\",\"route\""),
        with("480", "481"),
        with("input_tokens", "input_tokenz"),
        with("c00-0", "c00-1"),
        with("conversation", "thread"),
        with("\"route\"", "\"network_cost\":\"0\",\"route\""),
        // The same characters, cut elsewhere.
        with("\"feature\":\"code-review\",\"route\":\"default\"", "\"feature\":\"code-reviewdefault\""),
    ];
    let mut seen = std::collections::BTreeSet::from([good(GOOD).fingerprint]);
    for text in changed {
        assert!(seen.insert(good(&text).fingerprint), "{text}");
    }
    assert_eq!(good(&with("480", "\"480.0\"")).fingerprint, good(GOOD).fingerprint);
}

/// A JSON value, nested a little.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,18}(\\.[0-9]{1,12})?(e[0-9]{1,3})?",
        "\"[a-z0-9:. -]{0,12}\"",
        Just("\"1.0\"".to_owned()),
        Just("\"2023-11-16T18:15:46.680Z\"".to_owned()),
    ];
    let key = prop_oneof![
        "[a-z]{0,4}",
        prop::sample::select(vec![
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "data",
            "measures",
            "attributes",
            "usage",
            "usageMetadata",
            "network_cost",
            "input_tokens",
            "prompt_tokens",
            "prompt_tokens_details",
            "cached_tokens",
            "promptTokenCount",
            "promptTokensDetails",
            "cache_creation",
            "cache_read_input_tokens",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((key.clone(), inner), 0..9).prop_map(|fields| {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (parse(&bytes), batch(&bytes), lines(&bytes).count());
    }

    #[test]
    fn no_json_panics(value in json(), usage in json()) {
        let _ = parse(value.as_bytes());
        let _ = parse(with_rest_of_data(&format!("\"usage\":{usage}")).as_bytes());
        let _ = crate::dialect::normalise(&usage);
    }

    #[test]
    fn no_cut_or_changed_byte_panics(at in 0..GOOD.len(), byte: u8) {
        let mut bytes = GOOD.as_bytes().to_vec();
        let _ = parse(&bytes[..at]);
        bytes[at] = byte;
        let _ = parse(&bytes);
    }

    #[test]
    fn order_white_space_and_spelling_leave_the_fingerprint(
        counts in prop::collection::btree_map("[a-z_]{1,9}", 0_u32..1_000_000, 0..6),
        words in prop::collection::btree_map("[a-z_]{1,9}", "[a-z]{0,9}", 0..6),
        seed: u64,
    ) {
        let written = |turn: u64, tail: &str, gap: &str| {
            let object = |mut fields: Vec<String>| {
                let places = fields.len().max(1);
                fields.rotate_left(usize::try_from(turn % places as u64).unwrap());
                if turn % 2 == 1 { fields.reverse(); }
                format!("{{{gap}{}{gap}}}", fields.join(&format!("{gap},{gap}")))
            };
            let measures = object(counts.iter().map(|(name, count)| format!("\"{name}\":{gap}{count}{tail}")).collect());
            let attributes = object(words.iter().map(|(name, word)| format!("\"{name}\"{gap}:\"{word}\"")).collect());
            let data = object(vec![format!("\"measures\":{measures}"), format!("\"attributes\":{attributes}"), "\"model\":\"m\"".into()]);
            object([
                "\"specversion\":\"1.0\"", "\"id\":\"a\"", "\"source\":\"s\"", "\"type\":\"t\"", "\"subject\":\"c\"",
                "\"time\":\"2023-11-16T18:15:46Z\"", &format!("\"data\":{data}"),
            ].map(str::to_owned).to_vec())
        };
        let (one, other) = (good(&written(0, "", "")), good(&written(seed, ".0", " ")));
        prop_assert_eq!(one.fingerprint, other.fingerprint);
        prop_assert_eq!(one.measures.len(), counts.len());
        for (name, count) in &counts {
            prop_assert_eq!(one.measure(name), Quantity::from(*count));
        }
    }
}

#[test]
#[ignore = "prints a speed; run it in release"]
fn speed_of_parsing() {
    let rounds = 100_000_u32;
    let best = (0..10).map(|_| {
        let started = std::time::Instant::now();
        for _ in 0..rounds {
            std::hint::black_box(parse(std::hint::black_box(GOOD.as_bytes())).unwrap());
        }
        started.elapsed() / rounds
    });
    println!("{} ns an event of {} bytes at best", best.min().unwrap().as_nanos(), GOOD.len());
}
