//! `desk`, shared by Keystone Realty and Apex Motors, each with settings of its own: a help desk with a monthly fee,
//! included questions, and languages that cost more.

use tollgate_sdk::prelude::*;

/// What a client agreed to.
#[settings]
pub struct Settings {
    /// How many questions of a month the fee includes.
    #[serde(default)]
    included: Decimal,
    /// The price of each further question.
    price: Decimal,
    /// Languages, by the event's attribute `language`, whose questions cost `language_surcharge` in addition.
    #[serde(default)]
    surcharged_languages: Vec<String>,
    /// What a question in one of them costs in addition.
    #[serde(default)]
    language_surcharge: Decimal,
    /// The month's fee, minimum and cap.
    #[serde(default)]
    period: PeriodTerms,
}

const PERIOD_LINES: PeriodLines = PeriodLines { fee: FEE, minimum: MINIMUM, cap: CAP };

/// Charges a fee a month, questions beyond the included ones, and some languages more.
#[plugin(
    unit(QUESTION, name = "question", aggregation = sum),
    // Only named: the lines of the month count months.
    unit(MONTH, name = "month", aggregation = sum),
    line(QUESTIONS, code = "questions", title = "Questions beyond those included", unit = "question"),
    line(LANGUAGE, code = "language", title = "Questions in another language", unit = "question"),
    line(FEE, code = "fee", title = "Monthly fee", unit = "month"),
    line(MINIMUM, code = "minimum", title = "Up to the minimum", unit = "month"),
    line(CAP, code = "cap", title = "Beyond the cap", unit = "month", kind = credit),
)]
impl Pricing for Desk {
    type Settings = Settings;

    fn check(settings: &Settings, problems: &mut Problems) {
        problems.refuse_negative("/included", settings.included);
        problems.refuse_negative("/price", settings.price);
        problems.refuse_negative("/language_surcharge", settings.language_surcharge);
        settings.period.check("/period", problems);
    }

    fn meter(_: &Settings, event: &Event, usage: &mut Usage) -> Outcome {
        usage.add(QUESTION, event.measure("questions"))
    }

    fn rate(settings: &Settings, event: &Event, counted: &Counted, bill: &mut Bill) -> Outcome {
        let Some(questions) = counted.of(QUESTION) else { return Ok(()) };
        let (included, price) = (settings.included, settings.price);
        let quantity = questions.after.beyond(included)?.minus(questions.before.beyond(included)?)?;
        if !quantity.is_zero() {
            let amount = questions.cumulative(|total| total.beyond(included)?.times(price))?;
            bill.add(Line { code: QUESTIONS, quantity, unit_price: price, amount })?;
        }
        let language = event.attribute("language");
        if settings.surcharged_languages.iter().any(|surcharged| language == *surcharged) {
            let (quantity, price) = (questions.grown()?, settings.language_surcharge);
            bill.add(Line { code: LANGUAGE, quantity, unit_price: price, amount: quantity.times(price)? })?;
        }
        Ok(())
    }

    fn close(settings: &Settings, customer: &Closing, _: &Totals, bill: &mut Bill) -> Outcome {
        settings.period.close(PERIOD_LINES, customer.charged(), bill)
    }
}
