//! A statement as a page that a person reads and prints: one document, no scripts, nothing from the network.

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tollgate_core::money::format_money;
use tollgate_core::statement::{Statement, StatementLine, Used};

use super::owed;

/// Nothing but its own style may be used, whatever a name on the statement says.
pub(in crate::routes) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = "
:root { color-scheme: light; --ink: #1c1e21; --quiet: #5f6670; --rule: #d7dbe0; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 2rem; max-width: 48rem; color: var(--ink); background: #fff;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1rem 2rem; align-items: baseline; }
h1 { margin: 0; font-size: 1.75rem; letter-spacing: -0.01em; }
h2 { margin: 2.5rem 0 0.5rem; font-size: 1rem; }
.period { font-size: 1.1rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.5rem; margin: 1.5rem 0 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.open { margin: 1.5rem 0 0; padding: 0.6rem 0.9rem; border: 1px solid #b98900; border-left-width: 5px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.5rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: baseline; }
th { color: var(--quiet); font-weight: 500; font-size: 0.85rem; }
th + th, td + td { padding-left: 1.5rem; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.unit { color: var(--quiet); }
tfoot td { border-bottom: 0; border-top: 2px solid var(--ink); font-weight: 600; font-size: 1.1rem; }
@page { margin: 18mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  thead { display: table-header-group; }
  tr, .open, header, dl { break-inside: avoid; }
  h2 { break-after: avoid; }
  .open { border-color: #000; }
}
";

/// The page.
pub(super) fn page(statement: &Statement, app_name: &str) -> Response {
    let page = Html(written(statement, app_name).into_string());
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], page).into_response()
}

fn written(statement: &Statement, app_name: &str) -> Markup {
    let Statement { name, customer, period, currency, closed, .. } = statement;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Statement " (period) " – " (name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Statement" }
                    span.period { (period) }
                }
                dl {
                    dt { "For" } dd { (name) @if name != customer { " (" (customer) ")" } }
                    dt { "App" } dd { (app_name) @if app_name != statement.app { " (" (statement.app) ")" } }
                    dt { "Status" } dd { @if *closed { "Closed: final" } @else { "Open" } }
                }
                @if !closed {
                    p.open role="note" {
                        "This period is still open: the figures are those of now, and more may be added."
                    }
                }
                (lines(&statement.lines, statement.total, currency))
                (covered(statement))
                @if !statement.usage.is_empty() { (usage(&statement.usage)) }
            }
        }
    }
}

fn lines(lines: &[StatementLine], total: i128, currency: &str) -> Markup {
    html! {
        h2 { "Charges" }
        table {
            thead {
                tr { th scope="col" { "For" } th.number scope="col" { "Quantity" } th.number scope="col" { "Amount" } }
            }
            tbody {
                @for line in lines {
                    tr {
                        td { (line.title) }
                        td.number { (line.quantity) @if !line.unit.is_empty() { " " span.unit { (line.unit) } } }
                        td.number { (format_money(line.amount, currency)) }
                    }
                }
            }
            tfoot { tr { td colspan="2" { "Total" } td.number { (format_money(total, currency)) } } }
        }
    }
}

/// What the total was covered by; nothing for a customer without a wallet.
fn covered(statement: &Statement) -> Markup {
    let Statement { from_granted, from_paid, currency, .. } = statement;
    let parts = [("Granted credit", *from_granted), ("Paid balance", *from_paid), ("Owed", owed(statement))];
    html! {
        @if *from_granted != 0 || *from_paid != 0 {
            h2 { "Covered by" }
            table {
                tbody {
                    @for (title, nano) in parts {
                        tr { td { (title) } td.number { (format_money(nano, currency)) } }
                    }
                }
            }
        }
    }
}

fn usage(usage: &[Used]) -> Markup {
    html! {
        h2 { "Usage" }
        table {
            thead { tr { th scope="col" { "Unit" } th scope="col" { "Of" } th.number scope="col" { "Used" } } }
            tbody {
                @for used in usage {
                    tr { td { (used.unit) } td { (used.group.join(", ")) } td.number { (used.used) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tollgate_core::quantity::{Quantity, QuantitySum};

    use super::*;

    fn statement(closed: bool) -> Statement {
        Statement {
            app: "acme-docs".into(),
            customer: "legal".into(),
            name: "Legal <script>alert(1)</script>".into(),
            period: "2026-11".parse().unwrap(),
            currency: "USD".into(),
            closed,
            usage: vec![Used {
                unit: "document".into(),
                group: vec!["review".into()],
                used: Quantity::from(25),
            }],
            lines: vec![StatementLine {
                code: "documents".into(),
                title: "Documents reviewed".into(),
                unit: "document".into(),
                quantity: QuantitySum::from(Quantity::from(25)),
                amount: 10_500_000_000,
            }],
            network_cost: 4_000_000_000,
            platform_fee: 1_300_000_000,
            builder_earnings: 5_200_000_000,
            total: 10_500_000_000,
            from_granted: 0,
            from_paid: 0,
        }
    }

    #[test]
    fn a_page_tells_money_as_people_write_it_and_runs_nothing() {
        let page = written(&statement(true), "Docs").into_string();
        assert!(page.contains("10.50 USD") && page.contains("Documents reviewed"), "{page}");
        assert!(page.contains("Closed: final") && !page.contains("still open"), "{page}");
        assert!(!page.contains("<script") && page.contains("Legal &lt;script&gt;"), "{page}");
        assert!(!page.contains("http"), "nothing comes from the network: {page}");
        // What the platform and the Builder keep is not the customer's affair.
        assert!(!page.contains("5.2"), "{page}");
    }

    #[test]
    fn what_a_wallet_covered_is_told_apart() {
        let page = written(&statement(true), "Docs").into_string();
        assert!(!page.contains("Covered by"), "there is no wallet: {page}");
        let funded = Statement { from_granted: 2_000_000_000, from_paid: 5_000_000_000, ..statement(true) };
        let page = written(&funded, "Docs").into_string();
        for part in [
            "Granted credit</td><td class=\"number\">2.00 USD",
            "5.00 USD",
            "Owed</td><td class=\"number\">3.50 USD",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }

    #[test]
    fn an_open_statement_says_so() {
        let page = written(&statement(false), "Docs").into_string();
        assert!(page.contains("This period is still open"), "{page}");
    }
}
