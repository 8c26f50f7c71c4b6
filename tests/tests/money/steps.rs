//! What may happen to money, at random.

use proptest::prelude::*;

/// Nano-units of a cent.
pub const CENT: i64 = 10_000_000;
/// The months that a sequence may come to: September 2026 and those after it.
pub const MONTHS: usize = 6;
/// Events and holds have ids below this.
pub const IDS: u32 = 12;

/// What a month's tokens cost in all: 2 cents each up to 50, then 1 cent.
pub fn price(tokens: i64) -> i64 {
    (tokens.min(50) * 2 + (tokens - 50).max(0)) * CENT
}

#[derive(Clone, Debug)]
pub enum Step {
    Grant {
        customer: usize,
        cents: i64,
        priority: u32,
        from_hours: i64,
        hours: i64,
        by_builder: bool,
    },
    TopUp {
        customer: usize,
        cents: i64,
    },
    Limit {
        customer: usize,
        cents: Option<i64>,
    },
    Authorize {
        customer: usize,
        id: u32,
        tokens: i64,
        hours: i64,
    },
    /// Many at once: decided together, as if one after the other. Each is a customer, an id and tokens.
    AuthorizeTogether {
        asked: Vec<(usize, u32, i64)>,
        hours: i64,
    },
    Ingest {
        customer: usize,
        id: u32,
        tokens: i64,
    },
    VoidHold {
        id: u32,
    },
    Pass {
        hours: i64,
    },
    Refund {
        id: u32,
        percent: Option<i64>,
        by_builder: bool,
    },
    VoidEvent {
        id: u32,
    },
    Dispute {
        payment: usize,
        is_won: bool,
    },
    RefundPayment {
        payment: usize,
        percent: i64,
    },
    Close,
    PayOut {
        arrives: Option<bool>,
    },
    /// The program dies and starts again.
    Crash,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let customer = 0_usize..2;
    let id = 0..IDS;
    let step = prop_oneof![
        4 => (customer.clone(), 1_i64..80, 0_u32..3, -2_i64..5, 1_i64..600, any::<bool>()).prop_map(
            |(customer, cents, priority, from_hours, hours, by_builder)| Step::Grant {
                customer, cents, priority, from_hours, hours, by_builder
            }
        ),
        4 => (customer.clone(), 1_i64..150).prop_map(|(customer, cents)| Step::TopUp { customer, cents }),
        2 => (customer.clone(), prop::option::weighted(0.8, 0_i64..60))
            .prop_map(|(customer, cents)| Step::Limit { customer, cents }),
        8 => (customer.clone(), id.clone(), 0_i64..60, 1_i64..40)
            .prop_map(|(customer, id, tokens, hours)| Step::Authorize { customer, id, tokens, hours }),
        3 => (prop::collection::vec((customer.clone(), id.clone(), 0_i64..60), 2..6), 1_i64..40)
            .prop_map(|(asked, hours)| Step::AuthorizeTogether { asked, hours }),
        8 => (customer, id.clone(), 0_i64..60)
            .prop_map(|(customer, id, tokens)| Step::Ingest { customer, id, tokens }),
        2 => id.clone().prop_map(|id| Step::VoidHold { id }),
        4 => prop_oneof![4 => 0_i64..30, 1 => 200_i64..800].prop_map(|hours| Step::Pass { hours }),
        3 => (id.clone(), prop::option::of(1_i64..120), any::<bool>())
            .prop_map(|(id, percent, by_builder)| Step::Refund { id, percent, by_builder }),
        2 => id.prop_map(|id| Step::VoidEvent { id }),
        2 => (0_usize..6, any::<bool>()).prop_map(|(payment, is_won)| Step::Dispute { payment, is_won }),
        2 => (0_usize..6, 1_i64..120)
            .prop_map(|(payment, percent)| Step::RefundPayment { payment, percent }),
        2 => Just(Step::Close),
        2 => prop::option::of(any::<bool>()).prop_map(|arrives| Step::PayOut { arrives }),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..40)
}
