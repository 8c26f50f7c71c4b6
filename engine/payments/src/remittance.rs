//! A remittance advice: what a Builder is paid and for what, as a page that a person reads and prints. One
//! document, no scripts, nothing from the network.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tollgate_core::money::format_money;
use tollgate_core::payout::Destination;
use tollgate_core::period::Period;
use tollgate_core::quantity::QuantitySum;

use crate::bank::masked;

const STYLE: &str = include_str!("remittance/style.css");

/// What a page is about. Amounts are in nano-units of the currency.
#[derive(Clone, Debug)]
pub struct Remittance {
    /// Who pays: the platform's name.
    pub payer: String,
    /// The Builder's id.
    pub builder: String,
    /// The Builder's name.
    pub name: String,
    /// The period that is paid.
    pub period: Period,
    /// ISO 4217 code.
    pub currency: String,
    /// How far the payout has come: `planned`, `paid`.
    pub state: String,
    /// What the bank's statement says, or the provider's name for it.
    pub reference: Option<String>,
    /// Where the money goes.
    pub destination: Option<Destination>,
    /// What was earned, by app and period.
    pub apps: Vec<AppEarned>,
    /// What was on the account before: carried forward, clawed back, granted.
    pub brought_forward: i128,
    /// What earlier reserves were released.
    pub released: i128,
    /// What was kept back as a reserve.
    pub reserved: i128,
    /// What stays on the account.
    pub carried: i128,
    /// What is paid.
    pub paid: i128,
}

/// What an app earned in a period.
#[derive(Clone, Debug)]
pub struct AppEarned {
    /// The app's name.
    pub name: String,
    /// The period: several are paid at once when earlier ones were not payable.
    pub period: Period,
    /// Its customers.
    pub customers: Vec<CustomerEarned>,
    /// What the Builder earned.
    pub earned: i128,
}

/// What a customer of an app brought in.
#[derive(Clone, Debug)]
pub struct CustomerEarned {
    /// The customer's name.
    pub name: String,
    /// What they were charged for.
    pub lines: Vec<EarnedLine>,
    /// What they were charged in all.
    pub charged: i128,
    /// Of that, what the inference cost.
    pub network_cost: i128,
    /// Of that, what the platform keeps.
    pub platform_fee: i128,
    /// Of that, what the Builder earned.
    pub earned: i128,
}

/// What a customer was charged for.
#[derive(Clone, Debug)]
pub struct EarnedLine {
    /// In the customer's words.
    pub title: String,
    /// How much of it.
    pub quantity: QuantitySum,
    /// Of what.
    pub unit: String,
    /// For how much.
    pub amount: i128,
}

impl Remittance {
    /// The page: HTML that needs nothing else.
    pub fn html(&self) -> String {
        let Self { name, period, payer, .. } = self;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Remittance advice " (period) " – " (name) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { "Remittance advice" }
                        span.period { (period) }
                    }
                    dl {
                        dt { "From" } dd { (payer) }
                        dt { "To" } dd { (name) @if *name != self.builder { " (" (self.builder) ")" } }
                        dt { "Paid to" } dd { (self.paid_to()) }
                        @if let Some(reference) = &self.reference { dt { "Reference" } dd { (reference) } }
                        dt { "Status" } dd { (self.state) }
                    }
                    (self.summary())
                    @for app in &self.apps { (self.app(app)) }
                }
            }
        };
        page.into_string()
    }

    fn money(&self, nano: i128) -> String {
        format_money(nano, &self.currency)
    }

    fn paid_to(&self) -> Markup {
        html! {
            @match &self.destination {
                Some(Destination::Bank { name, iban, bic }) => {
                    (name) ", " (masked(iban)) @if let Some(bic) = bic { ", " (bic) }
                }
                Some(Destination::Account { provider, account }) => { (provider) " " (account) }
                None => { "no destination is set" }
            }
        }
    }

    /// From what was earned to what is paid; the rows add up.
    fn summary(&self) -> Markup {
        let rows = [
            ("Brought forward", self.brought_forward),
            ("Reserve released", self.released),
            ("Kept back as reserve", self.reserved.saturating_neg()),
            ("Carried forward", self.carried.saturating_neg()),
        ];
        html! {
            h2 { "Summary" }
            table {
                thead { tr { th scope="col" { "For" } th.number scope="col" { "Amount" } } }
                tbody {
                    @for app in &self.apps {
                        tr { td { "Earned by " (app.name) ", " (app.period) } td.number { (self.money(app.earned)) } }
                    }
                    @for (title, nano) in rows.iter().filter(|(_, nano)| *nano != 0) {
                        tr { td { (title) } td.number { (self.money(*nano)) } }
                    }
                }
                tfoot { tr { td { "Paid" } td.number { (self.money(self.paid)) } } }
            }
        }
    }

    fn app(&self, app: &AppEarned) -> Markup {
        html! {
            h2 { (app.name) ", " (app.period) }
            table {
                thead {
                    tr {
                        th scope="col" { "Customer" }
                        th.number scope="col" { "Charged" }
                        th.number scope="col" { "Network cost" }
                        th.number scope="col" { "Platform fee" }
                        th.number scope="col" { "Earned" }
                    }
                }
                @for customer in &app.customers {
                    tbody {
                        tr.customer {
                            td { (customer.name) }
                            td.number { (self.money(customer.charged)) }
                            td.number { (self.money(customer.network_cost)) }
                            td.number { (self.money(customer.platform_fee)) }
                            td.number { (self.money(customer.earned)) }
                        }
                        @for line in &customer.lines {
                            tr.line {
                                td {
                                    (line.title) ", " (line.quantity)
                                    @if !line.unit.is_empty() { " " (line.unit) }
                                }
                                td.number { (self.money(line.amount)) }
                                td colspan="3" {}
                            }
                        }
                    }
                }
                tfoot { tr { td colspan="4" { "Earned" } td.number { (self.money(app.earned)) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tollgate_core::quantity::Quantity;

    use super::*;

    fn remittance() -> Remittance {
        let line = EarnedLine {
            title: "Documents <script>".into(),
            quantity: QuantitySum::from(Quantity::from(25)),
            unit: "document".into(),
            amount: 10_500_000_000,
        };
        let customer = CustomerEarned {
            name: "Legal".into(),
            lines: vec![line],
            charged: 10_500_000_000,
            network_cost: 4_000_000_000,
            platform_fee: 1_300_000_000,
            earned: 5_200_000_000,
        };
        let period: Period = "2026-11".parse().unwrap();
        Remittance {
            payer: "Platform AG".into(),
            builder: "acme".into(),
            name: "Acme Docs".into(),
            period,
            currency: "EUR".into(),
            state: "paid".into(),
            reference: Some("PO-2026-11-EUR-1".into()),
            destination: Some(Destination::Bank {
                name: "Acme GmbH".into(),
                iban: "DE89370400440532013000".into(),
                bic: None,
            }),
            apps: vec![AppEarned {
                name: "Docs".into(),
                period,
                customers: vec![customer],
                earned: 5_200_000_000,
            }],
            brought_forward: -200_000_000,
            released: 0,
            reserved: 500_000_000,
            carried: 7_000_000,
            paid: 4_493_000_000,
        }
    }

    #[test]
    fn a_page_shows_the_way_from_what_was_earned_to_what_is_paid() {
        let page = remittance().html();
        for words in [
            "Acme Docs (acme)",
            "Acme GmbH, DE89 … 3000",
            "PO-2026-11-EUR-1",
            "Earned by Docs, 2026-11</td><td class=\"number\">5.20 EUR",
            "Brought forward</td><td class=\"number\">-0.20 EUR",
            "Kept back as reserve</td><td class=\"number\">-0.50 EUR",
            "Carried forward</td><td class=\"number\">-0.007 EUR",
            "Paid</td><td class=\"number\">4.493 EUR",
            "Documents &lt;script&gt;, 25 document",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
        assert!(!page.contains("Reserve released"), "what is nothing is not told: {page}");
        assert!(
            !page.contains("370400440532") && !page.contains("http") && !page.contains("<script"),
            "{page}"
        );
    }
}
