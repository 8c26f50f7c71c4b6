//! `percentage`: each transaction costs a share of its amount and a fixed fee.
//!
//! Some of a period's transactions may be free, by their number or by their amount; the fee of one that is not
//! lies between a least and a most. A share that depends on the period's total is `tiered`'s.

use tollgate_sdk::prelude::*;

/// What a tariff sets.
#[settings]
pub struct Settings {
    /// The measure that holds a transaction's amount.
    amount: String,
    /// What the amount is counted in, as the customer sees it: "USD of sales".
    #[serde(default = "unit")]
    unit: String,
    /// The share of the amount: "0.029" is 2.9 per cent.
    #[serde(default)]
    rate: Decimal,
    /// What each transaction costs in addition.
    #[serde(default)]
    fixed_fee: Decimal,
    /// The least that a transaction costs unless it is free.
    #[serde(default)]
    minimum: Decimal,
    /// The most that a transaction costs; null when there is no limit.
    #[serde(default)]
    maximum: Option<Decimal>,
    /// How many of a period's first transactions are free; null when their number frees none.
    #[serde(default)]
    free_events: Option<Decimal>,
    /// How much of a period's first amounts is free; null when the amount frees nothing.
    #[serde(default)]
    free_amount: Option<Decimal>,
    /// Charge the fixed fee and the minimum for a transaction of no amount, too.
    #[serde(default)]
    fee_at_zero: bool,
    /// The period's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
}

fn unit() -> String {
    "amount".to_owned()
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges a share of each transaction's amount, and a fixed fee.
#[plugin(
    unit(AMOUNT, name = "/unit", aggregation = sum),
    unit(TRANSACTION, name = "transaction", aggregation = sum),
    // Only named, so that a fee is not called a transaction; the line's quantity says how many.
    unit(PERIOD, name = "period", aggregation = sum),
    line(CHARGED, code = "transaction", title = "Transaction fees", unit = "transaction"),
    line(FEE, code = "fee", title = "Fee for the period", unit = "period"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "period"),
    line(CAP, code = "cap", title = "Beyond the spend cap", unit = "period", kind = credit)
)]
impl Pricing for Percentage {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        for (pointer, text) in [("/amount", &settings.amount), ("/unit", &settings.unit)] {
            if text.is_empty() {
                problems.add(pointer, "this may not be empty");
            }
        }
        if settings.unit == "transaction" {
            problems
                .add("/unit", "\"transaction\" is the name under which events are counted; choose another");
        }
        let optional = [settings.maximum, settings.free_events, settings.free_amount];
        let [maximum, free_events, free_amount] = optional.map(Option::unwrap_or_default);
        for (pointer, value) in [
            ("/rate", settings.rate),
            ("/fixed_fee", settings.fixed_fee),
            ("/minimum", settings.minimum),
            ("/maximum", maximum),
            ("/free_events", free_events),
            ("/free_amount", free_amount),
        ] {
            problems.refuse_negative(pointer, value);
        }
        if settings.maximum.is_some_and(|maximum| maximum < settings.minimum) {
            let minimum = settings.minimum;
            problems.add("/maximum", format!("{maximum} is less than the minimum, {minimum}"));
        }
        settings.period.check("/period", problems);
    }

    fn meter(settings: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(AMOUNT, event.measure(&settings.amount))?;
        usage.add(TRANSACTION, Decimal::ONE)
    }

    fn rate(settings: &Settings, _: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(transactions) = counted.of(TRANSACTION) else { return Ok(()) };
        let charged = match counted.of(AMOUNT) {
            Some(amount) => settings.charged_part(transactions, amount)?,
            None if settings.fee_at_zero && !settings.is_free_by_number(transactions) => Some(Decimal::ZERO),
            None => None,
        };
        let Some(charged) = charged else { return Ok(()) };
        let fee = charged.times(settings.rate)?.plus(settings.fixed_fee)?.max(settings.minimum);
        let amount = settings.maximum.map_or(fee, |maximum| fee.min(maximum));
        bill.add(Line { code: CHARGED, quantity: Decimal::ONE, unit_price: Decimal::ZERO, amount })
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(PERIOD_LINES, customer.charged(), bill)
    }
}

impl Settings {
    /// The part of an amount that is not free; nothing when the whole transaction is. Where both a number
    /// and an amount are free, what is free ends with whichever is used up first.
    fn charged_part(&self, transactions: Count, amount: Count) -> Result<Option<Decimal>, Fault> {
        let still_free = self.is_free_by_number(transactions);
        match self.free_amount {
            Some(free) if still_free || self.free_events.is_none() => {
                let charged = amount.after.beyond(free)?.minus(amount.before.beyond(free)?)?;
                Ok(Some(charged).filter(|charged| !charged.is_zero()))
            }
            _ if still_free => Ok(None),
            _ => amount.grown().map(Some),
        }
    }

    fn is_free_by_number(&self, transactions: Count) -> bool {
        self.free_events.is_some_and(|free| transactions.after <= free)
    }
}
