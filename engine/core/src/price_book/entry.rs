//! One entry of a price book, made ready for arithmetic: which events it applies to and what they cost.

use super::{Unpriced, moment};
use crate::event::Event;
use crate::measure;
use crate::money::{Amount, SCALE, divide_half_even, power_of_ten};
use crate::number::Exact;
use crate::quantity::Quantity;

/// An amount of money, in units of the currency, for every `per` of a measure.
#[derive(Clone, Debug)]
pub(super) struct Price {
    pub measure: Box<str>,
    pub amount: Exact,
    pub per: i128,
}

/// Which events an entry applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// `None` is any route.
    pub route: Option<Box<str>>,
    /// `None` is any provider.
    pub provider: Option<Box<str>>,
    /// All input together must be strictly above it.
    pub above_input_tokens: Option<Quantity>,
    /// In milliseconds since 1970.
    pub effective_from: i64,
}

/// An entry: a measure's quantity × its weight, summed, / the denominator, is the cost in nano-units.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub scope: Scope,
    /// Its position in the book.
    pub position: usize,
    /// By measure, sorted by name; a provider's measures with the price they take from a parent.
    weights: Vec<(Box<str>, i128)>,
    denominator: i128,
}

impl Entry {
    /// Brings the prices to a common denominator; `None` when that is too large to count with.
    pub fn new(position: usize, scope: Scope, prices: &[Price]) -> Option<Self> {
        let mut parts = Vec::with_capacity(prices.len());
        for Price { amount, per, .. } in prices {
            let numerator = amount.coefficient.checked_mul(power_of_ten(SCALE)?)?;
            let denominator = power_of_ten(amount.scale)?.checked_mul(*per)?;
            let common = divisor(numerator, denominator);
            parts.push((numerator.checked_div(common)?, denominator.checked_div(common)?));
        }
        let mut denominator = 1_i128;
        for (_, part) in &parts {
            denominator = denominator.checked_mul(part.checked_div(divisor(denominator, *part))?)?;
        }
        let mut weights: Vec<(Box<str>, i128)> = Vec::with_capacity(measure::ALL.len());
        for (price, (numerator, part)) in prices.iter().zip(&parts) {
            weights.push((price.measure.clone(), numerator.checked_mul(denominator.checked_div(*part)?)?));
        }
        weights.extend(inherited(&weights));
        weights.sort_unstable();
        Some(Self { scope, position, weights, denominator })
    }

    /// What decides between two entries that both apply: the greater wins.
    pub fn precedence(&self) -> (bool, bool, Option<Quantity>, i64) {
        let Scope { route, provider, above_input_tokens, effective_from } = &self.scope;
        (route.is_some(), provider.is_some(), *above_input_tokens, *effective_from)
    }

    /// Whether the event is within this entry's scope.
    pub fn applies_to(&self, event: &Event) -> bool {
        let is =
            |wanted: &Option<Box<str>>, given: &str| wanted.as_deref().is_none_or(|wanted| wanted == given);
        let Scope { route, provider, above_input_tokens, effective_from } = &self.scope;
        is(route, &event.route)
            && is(provider, &event.provider)
            && *effective_from <= event.time
            && above_input_tokens.is_none_or(|threshold| is_above(event, threshold))
    }

    /// The event's cost by this entry's prices.
    pub fn cost(&self, event: &Event) -> Result<Amount, Unpriced> {
        let too_large = || Unpriced::OutOfRange { model: event.model.clone(), entry: self.position };
        // The sum so far is `sum / 10^scale`.
        let (mut sum, mut scale) = (0_i128, 0);
        for (name, quantity) in &event.measures {
            let Some(weight) = self.weight(name) else {
                if quantity.is_zero() || !measure::is_a_providers(name) {
                    continue;
                }
                let (model, measure) = (event.model.clone(), name.clone());
                return Err(Unpriced::NoPrice {
                    model,
                    measure,
                    time: moment(event.time),
                    entry: self.position,
                });
            };
            let quantity = quantity.decimal();
            (sum, scale) = added((sum, scale), quantity.mantissa().checked_mul(weight), quantity.scale())
                .ok_or_else(too_large)?;
        }
        self.rounded(sum, scale).ok_or_else(too_large)
    }

    fn weight(&self, measure: &str) -> Option<i128> {
        let position = self.weights.binary_search_by(|(name, _)| (**name).cmp(measure)).ok()?;
        self.weights.get(position).map(|(_, weight)| *weight)
    }

    fn rounded(&self, sum: i128, scale: u32) -> Option<Amount> {
        let denominator = self.denominator.checked_mul(power_of_ten(scale)?)?;
        let nano = if denominator == 1 { sum } else { divide_half_even(sum, denominator)? };
        i64::try_from(nano).ok().map(Amount::from_nano)
    }
}

/// The prices that a provider's measures without one take from the nearest ancestor that has one.
fn inherited(weights: &[(Box<str>, i128)]) -> Vec<(Box<str>, i128)> {
    let own = |name: &str| weights.iter().find(|(other, _)| &**other == name).map(|(_, weight)| *weight);
    measure::ALL
        .iter()
        .filter(|name| own(name).is_none())
        .filter_map(|name| Some(((*name).into(), measure::lineage(name).find_map(own)?)))
        .collect()
}

/// The sum of two decimals; `None` on overflow.
fn added((sum, scale): (i128, u32), term: Option<i128>, term_scale: u32) -> Option<(i128, u32)> {
    let wider = scale.max(term_scale);
    let widened = |value: i128, scale: u32| match wider.saturating_sub(scale) {
        0 => Some(value),
        digits => value.checked_mul(power_of_ten(digits)?),
    };
    Some((widened(sum, scale)?.checked_add(widened(term?, term_scale)?)?, wider))
}

/// Whether all of the event's input is strictly above a threshold.
fn is_above(event: &Event, threshold: Quantity) -> bool {
    let mut input = Quantity::ZERO;
    for (name, quantity) in &event.measures {
        if measure::is_input(name) {
            // More input than can be counted is above any threshold that can.
            let Ok(sum) = input.plus(*quantity) else { return true };
            input = sum;
        }
    }
    input > threshold
}

/// The greatest common divisor, at least 1, of two numbers that are not negative.
fn divisor(mut one: i128, mut other: i128) -> i128 {
    while let Some(rest) = one.checked_rem(other) {
        (one, other) = (other, rest);
    }
    one.max(1)
}
