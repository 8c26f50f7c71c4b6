//! Tiers: what a period's total costs by them, and which of them make sense.

use crate::{Bounds, Mode, Settings};
use tollgate_sdk::prelude::*;

/// One tier: what lies above the tier before and up to its own bound.
#[settings]
pub struct Tier {
    /// Where the tier ends; null for the last tier, which is open.
    up_to: Option<Decimal>,
    /// The price of each unit in the tier, or of each package that is begun.
    #[serde(default)]
    unit_price: Decimal,
    /// Units are sold in packages of so many: the first unit of one costs the whole of it.
    #[serde(default)]
    package: Option<Decimal>,
    /// Charged once in a period, when the first fraction of the tier is used.
    #[serde(default)]
    flat: Decimal,
}

/// The tiers, with what each of them builds on worked out once and not for every event.
#[settings]
#[serde(from = "Vec<Tier>")]
#[schemars(with = "Vec<Tier>")]
pub struct Tiers {
    written: Vec<Tier>,
    graduated: Result<Vec<Step>, Fault>,
    volume: Vec<Step>,
}

/// Where a tier begins, and what the units of a total cost when it ends in there.
#[derive(Debug, Clone)]
struct Step {
    /// The end of the tier before.
    floor: Decimal,
    /// The first of the units that cost this tier's price: the floor when graduated, zero by volume.
    from: Decimal,
    /// The price of everything before those, and this tier's flat amount.
    base: Decimal,
    unit_price: Decimal,
    package: Option<Decimal>,
}

impl Step {
    /// What a total costs that ends in this tier.
    #[inline]
    fn price(&self, total: Decimal) -> Result<Decimal, Fault> {
        let units = total.minus(self.from)?;
        let sold = match self.package {
            None => units,
            Some(package) => units.divided_up(package)?,
        };
        self.base.plus(sold.times(self.unit_price)?)
    }
}

impl From<Vec<Tier>> for Tiers {
    fn from(tiers: Vec<Tier>) -> Self {
        let (graduated, volume) = (graduated(&tiers), volume(&tiers));
        Self { written: tiers, graduated, volume }
    }
}

fn graduated(tiers: &[Tier]) -> Result<Vec<Step>, Fault> {
    let (mut floor, mut charged) = (Decimal::ZERO, Decimal::ZERO);
    let mut steps = Vec::with_capacity(tiers.len());
    for Tier { up_to, unit_price, package, flat } in tiers {
        let base = charged.plus(*flat)?;
        let step = Step { floor, from: floor, base, unit_price: *unit_price, package: *package };
        if let Some(ceiling) = *up_to {
            charged = step.price(ceiling)?;
            floor = ceiling;
        }
        steps.push(step);
    }
    Ok(steps)
}

fn volume(tiers: &[Tier]) -> Vec<Step> {
    let floors = std::iter::once(Decimal::ZERO).chain(tiers.iter().filter_map(|tier| tier.up_to));
    let steps = tiers.iter().zip(floors).map(|(tier, floor)| Step {
        floor,
        from: Decimal::ZERO,
        base: tier.flat,
        unit_price: tier.unit_price,
        package: tier.package,
    });
    steps.collect()
}

impl Tiers {
    /// What so many units cost, counted from the first of the period: the formula f of the documentation.
    #[inline]
    pub fn price(&self, total: Decimal, settings: &Settings) -> Result<Decimal, Fault> {
        let steps = match settings.mode {
            Mode::Graduated => self.graduated.as_ref().map_err(Fault::clone)?,
            Mode::Volume => &self.volume,
        };
        let total = settings.fractions.of(total)?;
        match reached(steps, total, settings.bounds) {
            Some(step) => step.price(total),
            None => Ok(Decimal::ZERO),
        }
    }

    /// The price of one unit in the tier that a total has reached, packages and flat amounts aside.
    pub fn unit_price_at(&self, total: Decimal, bounds: Bounds) -> Decimal {
        let step = reached(&self.volume, total, bounds).filter(|step| step.package.is_none());
        step.map_or(Decimal::ZERO, |step| step.unit_price)
    }

    /// The flat amount of the first tier.
    pub fn first_flat(&self) -> Decimal {
        self.written.first().map_or(Decimal::ZERO, |tier| tier.flat)
    }

    /// Adds whatever is wrong with them.
    pub fn check(&self, problems: &mut Problems) {
        check(&self.written, problems);
        if let Err(fault) = &self.graduated {
            problems.add("/tiers", format!("the price of a whole tier cannot be held exactly: {fault}"));
        }
    }
}

/// The tier that a total ends in; none when nothing was used.
#[inline]
fn reached(steps: &[Step], total: Decimal, bounds: Bounds) -> Option<&Step> {
    steps.iter().rev().find(|step| match bounds {
        Bounds::Inclusive => step.floor < total,
        Bounds::Exclusive => step.floor <= total && !total.is_zero(),
    })
}

/// Tiers must ascend from above zero, and the last one must be open.
fn check(tiers: &[Tier], problems: &mut Problems) {
    if tiers.is_empty() {
        problems.add("/tiers", "there is no tier; a single price is one tier with \"up_to\": null");
    }
    let mut floor = Decimal::ZERO;
    for (position, tier) in tiers.iter().enumerate() {
        let last = position + 1 == tiers.len();
        let pointer = format!("/tiers/{position}/up_to");
        match tier.up_to {
            Some(up_to) if last => problems.add(
                pointer,
                format!("nothing says what a unit beyond {up_to} costs; set the last tier's up_to to null"),
            ),
            Some(up_to) if up_to <= Decimal::ZERO => problems.add(
                pointer,
                format!("{up_to} is not above zero, so nothing would lie in the tier; raise it or leave the tier out"),
            ),
            Some(up_to) if up_to <= floor => problems.add(
                pointer,
                format!("{up_to} does not lie above the tier before, which ends at {floor}; sort the tiers"),
            ),
            None if !last => {
                problems.add(pointer, "only the last tier is open; say where this one ends");
            }
            _ => {}
        }
        floor = tier.up_to.unwrap_or(floor);
        problems.refuse_negative(format!("/tiers/{position}/unit_price"), tier.unit_price);
        problems.refuse_negative(format!("/tiers/{position}/flat"), tier.flat);
        if let Some(package) = tier.package.filter(|package| *package <= Decimal::ZERO) {
            let pointer = format!("/tiers/{position}/package");
            problems.add(pointer, format!("a package of {package} holds nothing; use a number above zero"));
        }
    }
}
