//! Where the price of the next unit changes: found by halving, exact to the unit.

use super::curve::{Meter, PlotError};

/// Into how many parts a range is cut before the parts are looked into.
const PARTS: u64 = 160;
/// What all answers together may cost, in events priced; an answer costs some more than its events.
const BUDGET: u64 = 250_000;
const ANSWER: u64 = 30;
/// Totals are rounded to nano-units, so prices of one tier may differ by that much.
const ROUNDING: i128 = 2;

/// A stretch of usage in which each unit costs the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) from: u64,
    pub(super) to: u64,
    /// In nano-units, of `divisor` units.
    pub(super) price: i128,
    /// How many units the price is for: the whole stretch, so that nothing is lost to rounding.
    pub(super) divisor: u64,
}

impl Segment {
    fn between(from: u64, to: u64, difference: i128) -> Self {
        Self { from, to, price: difference, divisor: to.saturating_sub(from).max(1) }
    }

    /// The price of one unit, in nano-units.
    pub(super) fn each(&self) -> i128 {
        self.price / i128::from(self.divisor)
    }

    fn joins(&self, next: &Self) -> bool {
        (self.each() - next.each()).abs() <= ROUNDING
    }
}

/// A place where the price changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The first unit at the new price.
    pub(super) unit: u64,
    pub(super) price: i128,
    /// The price of the unit before; none before the first.
    pub(super) before: Option<i128>,
    /// The price of the unit after a cliff.
    pub(super) after: Option<i128>,
    /// That one unit alone costs far more than its neighbours, or lowers the total.
    pub(super) is_cliff: bool,
}

/// Every stretch up to some usage, and whether some had to stay coarse.
pub(super) fn find(meter: &Meter<'_, '_>, up_to: u64) -> Result<(Vec<Segment>, bool), PlotError> {
    let mut search = Search { meter, left: BUDGET, found: Vec::new(), is_coarse: false };
    let parts = PARTS.min(up_to);
    let mut from = 0;
    for part in 1..=parts {
        let to = u64::try_from(u128::from(up_to) * u128::from(part) / u128::from(parts)).unwrap_or(up_to);
        if to > from {
            search.between(from, to)?;
            from = to;
        }
    }
    Ok((search.found, search.is_coarse))
}

struct Search<'m, 'a, 'p> {
    meter: &'m Meter<'a, 'p>,
    left: u64,
    found: Vec<Segment>,
    is_coarse: bool,
}

impl Search<'_, '_, '_> {
    fn total(&mut self, units: u64) -> Result<i128, PlotError> {
        self.left = self.left.saturating_sub(ANSWER + self.meter.events_at(units));
        self.meter.total(units)
    }

    fn between(&mut self, from: u64, to: u64) -> Result<(), PlotError> {
        let difference = self.total(to)? - self.total(from)?;
        if to - from == 1 {
            self.add(Segment::between(from, to, difference));
            return Ok(());
        }
        if self.left == 0 {
            self.is_coarse = true;
            self.add(Segment::between(from, to, difference));
            return Ok(());
        }
        let first = self.total(from + 1)? - self.total(from)?;
        let last = self.total(to)? - self.total(to - 1)?;
        let middle = from + (to - from) / 2;
        let half = self.total(middle)? - self.total(from)?;
        let straight = |price: i128, units: u64, difference: i128| {
            (price * i128::from(units) - difference).abs() <= ROUNDING * i128::from(units)
        };
        let is_straight = straight(first, to - from, difference)
            && straight(first, middle - from, half)
            && (first - last).abs() <= ROUNDING;
        if is_straight {
            self.add(Segment::between(from, to, difference));
            return Ok(());
        }
        self.between(from, middle)?;
        self.between(middle, to)
    }

    /// Adds a stretch, as part of the one before where the price is the same.
    fn add(&mut self, segment: Segment) {
        match self.found.last_mut() {
            Some(last) if last.joins(&segment) => {
                *last = Segment::between(last.from, segment.to, last.price + segment.price);
            }
            _ => self.found.push(segment),
        }
    }
}

/// Edges and cliffs, in order. The first price is none: it begins there.
pub(super) fn steps(segments: &[Segment]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| segments.get(place)).map(Segment::each);
        let after = segments.get(place + 1).map(Segment::each);
        let price = segment.each();
        let highest = before.into_iter().chain(after).max().unwrap_or(0).max(0);
        let is_single = segment.to - segment.from == 1;
        let towers = price > highest.saturating_mul(2) && after.is_some();
        let falls = price < 0;
        let is_cliff = is_single && (towers || falls);
        // The unit after a cliff begins nothing new where the price is what it was before the cliff.
        let resumes = steps.last().is_some_and(|step: &Step| {
            step.is_cliff && step.before.is_some_and(|before| (before - price).abs() <= ROUNDING)
        });
        let first_after_first =
            steps.last().is_some_and(|step: &Step| step.is_cliff && step.before.is_none());
        if is_cliff || (before.is_some() && !resumes && !first_after_first) {
            let before = match steps.last() {
                Some(step) if step.is_cliff && !is_cliff => step.before,
                _ => before,
            };
            steps.push(Step { unit: segment.from + 1, price, before, after, is_cliff });
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(prices: &[(u64, i128)]) -> String {
        let mut from = 0;
        let segments: Vec<Segment> = prices
            .iter()
            .map(|(to, price)| {
                let segment = Segment::between(from, *to, price * i128::from(to - from));
                from = *to;
                segment
            })
            .collect();
        let words = steps(&segments).into_iter().map(|step| {
            format!("{} {} {}", if step.is_cliff { "cliff" } else { "edge" }, step.unit, step.price)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn edges_and_cliffs_are_told_apart() {
        assert_eq!(told(&[(100, 500)]), "");
        assert_eq!(told(&[(10, 0), (100, 500)]), "edge 11 500");
        assert_eq!(told(&[(1_000, 10), (1_001, 50_000), (2_000, 10)]), "cliff 1001 50000");
        assert_eq!(told(&[(100, 100), (101, -1_920), (200, 80)]), "cliff 101 -1920, edge 102 80");
        assert_eq!(told(&[(1, 900), (100, 0), (101, 900), (200, 0)]), "cliff 1 900, cliff 101 900");
    }
}
