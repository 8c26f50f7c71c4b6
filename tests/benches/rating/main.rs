//! What the sandbox costs, and how many events a second are kept: one table, measured in one run.
//!
//! `cargo bench -p tollgate-tests`. Rating is meter, counters, rate, checks and split of a batch, from events
//! in memory to charges in memory. Three ways of it are measured in turn:
//!
//! - *hand-written*: the pricing rule as a billing system would hard-code it: a loop, a hash map of
//!   counters, `rust_decimal`, the same charges as a result; no frame, no plugin, no check;
//! - *native*: the engine with the plugin's own code compiled natively;
//! - *sandbox*: the engine with the plugin as a component, a fresh instance for each batch.

// A benchmark may stop where it stands, and measures in floats.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss
)]
#![allow(missing_docs)]

mod durable;
mod hand_written;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use rust_decimal::Decimal;
use tollgate_core::catalog::{App, AppTerms, Builder, Catalog, CostAuthority, Definition, Tariff};
use tollgate_core::event::Event;
use tollgate_core::money::Amount;
use tollgate_core::plugin::Descriptor;
use tollgate_core::price_book::PriceBook;
use tollgate_core::pricer::Pricer;
use tollgate_core::quantity::Quantity;
use tollgate_core::rating::counters::{CounterSource, Counters};
use tollgate_core::rating::parties::Parties;
use tollgate_core::rating::terms::Terms;
use tollgate_core::rating::{self, Candidate, columns};
use tollgate_core::store::{CounterKey, SeenKey, StoreError};
use tollgate_sandbox::{Sandbox, SandboxConfig};
use tollgate_tests::native::NativePricer;

const BATCHES: [usize; 5] = [1, 16, 256, 1_000, 4_000];

const PRICES: &str = r#"{"currency":"USD","entries":[{"model":"gpt-4o-mini","effective_from":"2023-01-01","prices":[
    {"measure":"input_tokens","price":"0.15","per":1000000},{"measure":"output_tokens","price":"0.60","per":1000000}]}]}"#;

/// Samples by what was measured, in nanoseconds an event.
type Samples = Rc<RefCell<BTreeMap<(&'static str, usize, &'static str), Vec<f64>>>>;

fn main() {
    let samples: Samples = Rc::default();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500))
        .without_plots()
        .configure_from_args();
    included_overage(&mut criterion, &samples);
    tiered(&mut criterion, &samples);
    criterion.final_summary();
    print_table(&samples.borrow());
    if !std::env::args().any(|argument| argument == "--test") {
        durable::print_throughput();
    }
}

fn included_overage(criterion: &mut Criterion, samples: &Samples) {
    let settings = r#"{"unit":"request","count":"events","included":"100","overage_price":"0.02",
        "premium_routes":["premium"],"premium_surcharge":"0.05"}"#;
    let component = include_bytes!("../../../plugins/prebuilt/included-overage.wasm");
    measure::<included_overage::IncludedOverage>(
        criterion,
        samples,
        "included-overage",
        (settings, component),
        hand_written::included_overage,
    );
}

fn tiered(criterion: &mut Criterion, samples: &Samples) {
    let settings = r#"{"unit":"1k tokens","measures":["input_tokens","output_tokens"],"divide_by":"1000",
        "tiers":[{"up_to":"500","unit_price":"0.03","flat":"0"},{"up_to":null,"unit_price":"0.02","flat":"1.00"}]}"#;
    let component = include_bytes!("../../../plugins/prebuilt/tiered.wasm");
    measure::<tiered::Tiered>(criterion, samples, "tiered", (settings, component), hand_written::tiered);
}

fn measure<P: tollgate_sdk::Pricing>(
    criterion: &mut Criterion,
    samples: &Samples,
    plugin: &'static str,
    (settings, component): (&str, &[u8]),
    hand_written: fn(&[&Candidate]) -> Vec<hand_written::Priced>,
) {
    let sandbox = Sandbox::new(SandboxConfig::default()).expect("the sandbox starts");
    let (digest, descriptor) = sandbox.admit(component).expect("a bundled plugin is admitted");
    let bench = Bench::new(settings, digest, &descriptor);
    for size in BATCHES {
        let batch: Vec<&Candidate> = bench.candidates.iter().take(size).collect();
        let native = NativePricer::<P>::prepared(&columns::pack(&batch, &bench.parties));
        let mut group = criterion.benchmark_group(plugin);
        let mut time = |way: &'static str, run: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(way, size), |bencher| {
                bencher.iter_custom(|times| {
                    let started = Instant::now();
                    for _ in 0..times {
                        run();
                    }
                    let elapsed = started.elapsed();
                    let events = f64::from(u32::try_from(times).unwrap_or(u32::MAX)) * size as f64;
                    let nanoseconds = elapsed.as_secs_f64() * 1e9 / events;
                    samples.borrow_mut().entry((plugin, size, way)).or_default().push(nanoseconds);
                    elapsed
                });
            });
        };
        time("hand-written", &mut || drop(black_box(hand_written(&batch))));
        time("native", &mut || bench.rate(&native, &batch));
        time("sandbox", &mut || bench.rate(&sandbox, &batch));
        group.finish();
    }
}

/// Events and terms to rate them under.
struct Bench {
    terms: Terms,
    parties: Parties,
    candidates: Vec<Candidate>,
}

impl Bench {
    fn new(settings: &str, plugin: tollgate_core::plugin::Digest, descriptor: &Descriptor) -> Self {
        let catalog = catalog();
        let app = catalog.app("acme-code").expect("the app is defined");
        let tariff = Tariff {
            id: "tariff".into(),
            app: app.id.clone(),
            customer: None,
            plugin,
            settings: settings.to_owned(),
            effective_from: 0,
        };
        let terms = Terms::new(app, &Arc::new(tariff), descriptor).expect("the settings name the unit");
        let mut parties = Parties::default();
        let candidates = (0..4_000).map(|row| {
            let event = Arc::new(event(row));
            let party =
                parties.intern(&catalog, &event.key.app, &event.customer).expect("the app is defined");
            let period = "2023-11".parse().expect("a period");
            let network_cost = Amount::from_nano(i64::from(row) * 137);
            Candidate { event, party, period, late: false, network_cost }
        });
        let candidates = candidates.collect();
        Self { terms, parties, candidates }
    }

    fn rate(&self, pricer: &dyn Pricer, batch: &[&Candidate]) {
        let mut counters = Counters::new(&Nothing);
        let outcomes = rating::rate(pricer, &self.terms, &self.parties, &mut counters, batch);
        let outcomes = outcomes.expect("counters in memory can be read");
        assert_eq!(outcomes.len(), batch.len());
        drop(black_box(outcomes));
    }
}

/// A store where nothing was counted yet.
struct Nothing;

impl CounterSource for Nothing {
    fn values(&self, keys: &[CounterKey]) -> Result<Vec<Quantity>, StoreError> {
        Ok(vec![Quantity::ZERO; keys.len()])
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![false; keys.len()])
    }
}

/// The definitions that both benchmarks need: app `acme-code`, whose events the trace's rule makes.
fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for definition in definitions() {
        catalog.define(&definition).expect("the definitions agree");
    }
    catalog
}

fn definitions() -> [Definition; 3] {
    let book = PriceBook::parse(PRICES).expect("the price book is right");
    [
        Definition::Builder(Builder {
            id: "builder".into(),
            name: "Builder".into(),
            app_terms: None,
            publishers: Vec::new(),
            payouts: tollgate_core::payout::PayoutTerms::default(),
        }),
        Definition::PriceBook("network".into(), book),
        Definition::App(App {
            id: "acme-code".into(),
            name: "Acme".into(),
            builder: "builder".into(),
            currency: "USD".into(),
            time_zone: "UTC".into(),
            terms: AppTerms {
                platform_share: Decimal::new(20, 2),
                surcharge_max: "10000".parse().expect("an amount"),
                price_book: "network".into(),
                cost_authority: CostAuthority::Reported,
            },
        }),
    ]
}

/// One event as text: 40 workspaces, three features, a premium route for one in seven.
fn event_text(row: u32) -> String {
    let workspace = row.wrapping_mul(7_919) % 40;
    let feature = ["code-review", "code-completion", "repo-search"][row as usize % 3];
    let route = if row.is_multiple_of(7) { "premium" } else { "default" };
    let (input, output) = (row.wrapping_mul(2_654_435_761) % 7_000 + 1, row.wrapping_mul(40_503) % 700 + 1);
    let (minute, second) = (row / 60 % 60, row % 60);
    format!(
        r#"{{"specversion":"1.0","id":"req-{row:09}","source":"acme-code","type":"ai.usage","subject":"workspace-{workspace:02}","time":"2023-11-16T18:{minute:02}:{second:02}.040Z","data":{{"feature":"{feature}","route":"{route}","model":"gpt-4o-mini","measures":{{"input_tokens":{input},"output_tokens":{output}}},"attributes":{{"conversation":"c{workspace:02}-{}"}}}}}}"#,
        row / 120
    )
}

fn event(row: u32) -> Event {
    tollgate_core::door::parse(event_text(row).as_bytes()).expect("the event is right")
}

fn print_table(samples: &BTreeMap<(&'static str, usize, &'static str), Vec<f64>>) {
    println!("\nRating, nanoseconds an event (median)");
    println!(
        "{:<18}{:>7}{:>14}{:>9}{:>9}{:>16}{:>22}",
        "plugin", "batch", "hand-written", "native", "sandbox", "sandbox/native", "sandbox/hand-written"
    );
    for plugin in ["included-overage", "tiered"] {
        for size in BATCHES {
            let median = |way| samples.get(&(plugin, size, way)).map_or(f64::NAN, |samples| median(samples));
            let (hand_written, native, sandbox) =
                (median("hand-written"), median("native"), median("sandbox"));
            println!(
                "{plugin:<18}{size:>7}{hand_written:>14.0}{native:>9.0}{sandbox:>9.0}{:>16.2}{:>22.2}",
                sandbox / native,
                sandbox / hand_written
            );
        }
    }
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
