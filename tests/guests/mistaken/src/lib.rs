//! A pricing plugin that makes whichever mistake its settings name: the mistakes that authors make, not attackers.
//!
//! Right, it charges each document at a price. Wrong, it remembers, looks at its neighbours, rounds per batch,
//! panics, loops, or charges what it may not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The price of one document.
    price: Decimal,
    /// The mistake.
    #[serde(default)]
    mistake: Mistake,
    /// A share, wrongly kept as a float.
    #[serde(default)]
    #[allow(dead_code)]
    share: f64,
}

/// What is done wrong.
#[settings]
#[derive(Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mistake {
    /// Nothing.
    #[default]
    None,
    /// A panic at more than three documents.
    Panic,
    /// A loop without an end at more than three documents.
    Loop,
    /// As much memory as there is, at more than three documents.
    Memory,
    /// A static counts the documents.
    State,
    /// Twice the price after an event of another customer.
    Neighbours,
    /// The first event of a batch is free.
    FirstOfBatch,
    /// Amounts are rounded for each event, to cents.
    Cents,
    /// Thirds of a document, to 13 places.
    Precise,
    /// More documents make each cheaper, all of them.
    Cheaper,
    /// A charge below zero.
    Negative,
    /// A credit larger than what was charged.
    Credit,
    /// Every event looks at all that came before.
    Quadratic,
    /// The close panics.
    Close,
}

static COUNTED: AtomicU64 = AtomicU64::new(0);
static LAST: Mutex<String> = Mutex::new(String::new());
static SEEN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

const MANY: Decimal = decimal!("3");

/// Charges each document.
#[plugin(
    unit(DOCUMENT, name = "document", aggregation = sum),
    line(DOCUMENTS, code = "documents", title = "Documents", unit = "document"),
    line(WELCOME, code = "welcome", title = "Welcome credit", unit = "document", kind = credit),
)]
impl Pricing for Mistaken {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        problems.refuse_negative("/price", settings.price);
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        let documents = event.measure("documents");
        match settings.mistake {
            Mistake::Precise => usage.add(DOCUMENT, documents.times(decimal!("0.3333333333333"))?),
            _ => usage.add(DOCUMENT, documents),
        }
    }

    fn rate(settings: &Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(documents) = counted.of(DOCUMENT) else { return Ok(()) };
        let quantity = documents.grown()?;
        let mut amount = documents.cumulative(|total| total.times(settings.price))?;
        if quantity > MANY {
            commit(settings.mistake);
        }
        match settings.mistake {
            Mistake::State => {
                let before = COUNTED.fetch_add(1, Ordering::Relaxed);
                amount = amount.plus(Decimal::from(before))?;
            }
            Mistake::Neighbours => {
                let mut last = LAST.lock().map_err(|_| Fault::new("poisoned"))?;
                if !last.is_empty() && *last != *event.customer() {
                    amount = amount.times(decimal!("2"))?;
                }
                event.customer().as_str().clone_into(&mut last);
            }
            Mistake::FirstOfBatch if COUNTED.fetch_add(1, Ordering::Relaxed) == 0 => amount = Decimal::ZERO,
            Mistake::Cheaper => {
                let price = if documents.after > decimal!("10") { decimal!("0.1") } else { settings.price };
                let earlier = if documents.before > decimal!("10") { decimal!("0.1") } else { settings.price };
                amount = documents.after.times(price)?.minus(documents.before.times(earlier)?)?;
                if amount.is_negative() {
                    return bill.add(Line { code: WELCOME, quantity, unit_price: Decimal::ZERO, amount });
                }
            }
            Mistake::Negative => amount = amount.negated(),
            Mistake::Credit => {
                let credit = decimal!("5").negated();
                bill.add(Line { code: WELCOME, quantity: Decimal::ONE, unit_price: credit, amount: credit })?;
            }
            Mistake::Quadratic => {
                let mut seen = SEEN.lock().map_err(|_| Fault::new("poisoned"))?;
                seen.push(1);
                let sum = seen.iter().fold(0, |sum: u64, one| std::hint::black_box(sum + one));
                std::hint::black_box(sum);
            }
            _ => {}
        }
        bill.add(Line { code: DOCUMENTS, quantity, unit_price: settings.price, amount })
    }

    fn close(settings: &Settings, _: &Closing, _: &Totals, _: &mut Bill) -> Outcome {
        assert!(settings.mistake != Mistake::Close, "no terms for this customer");
        Ok(())
    }
}

/// What no event recovers from.
fn commit(mistake: Mistake) {
    match mistake {
        Mistake::Panic => panic!("no price for so many documents"),
        Mistake::Loop => loop {
            std::hint::black_box(COUNTED.fetch_add(1, Ordering::Relaxed));
        },
        Mistake::Memory => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(Vec::with_capacity(4 << 20));
                std::hint::black_box(&hoard);
            }
        }
        _ => {}
    }
}
