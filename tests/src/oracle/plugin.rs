//! What the four first-party plugins charge, by their descriptions.

use std::collections::BTreeSet;

use num_traits::{One as _, Zero as _};
use serde_json::Value;

use super::event::Event;
use super::fraction::{self, Fraction, larger, nano, smaller};

/// What a customer has used in a period.
#[derive(Default)]
pub struct Used {
    pub count: Fraction,
    seen: BTreeSet<String>,
}

/// One row of a charge; the amount is in whole nano-units.
pub struct Line {
    pub code: &'static str,
    pub quantity: Fraction,
    pub amount: Fraction,
}

/// A plugin with its settings.
pub struct Plugin<'a> {
    pub name: &'a str,
    pub settings: &'a Value,
}

impl Plugin<'_> {
    /// The unit that a customer sees.
    pub fn unit(&self) -> String {
        match self.name {
            "cost-plus" => "request".to_owned(),
            "conversation" => "conversation".to_owned(),
            _ => self.settings["unit"].as_str().expect("a unit").to_owned(),
        }
    }

    /// Counts the event, and says what it costs.
    pub fn charge(&self, event: &Event<'_>, cost: &Fraction, used: &mut Used) -> Vec<Line> {
        match self.name {
            "cost-plus" => self.cost_plus(event, cost, used),
            "included-overage" => self.included_overage(event, used),
            "tiered" => self.tiered(event, used),
            "conversation" => self.conversation(event, used),
            other => panic!("no plugin {other}"),
        }
    }

    fn number(&self, name: &str) -> Fraction {
        fraction::read(self.settings[name].as_str().unwrap_or("0"))
    }

    fn cost_plus(&self, event: &Event<'_>, cost: &Fraction, used: &mut Used) -> Vec<Line> {
        used.count += Fraction::one();
        let of_route = self.settings["route_margins"][&event.data.route].as_str();
        let margin = of_route.map_or_else(|| self.number("margin"), fraction::read);
        let surcharge = nano(&larger(cost * margin, self.number("minimum_surcharge")));
        let line = |code, amount| Line { code, quantity: Fraction::one(), amount };
        vec![line("usage", cost.clone()), line("surcharge", surcharge)]
    }

    fn included_overage(&self, event: &Event<'_>, used: &mut Used) -> Vec<Line> {
        let counted = self.settings["count"].as_str().unwrap_or("events");
        let quantity = if counted == "events" { Fraction::one() } else { event.measure(counted) };
        let before = used.count.clone();
        used.count += &quantity;
        let included = self.number("included");
        let beyond = |count: &Fraction| larger(Fraction::zero(), count - &included);
        let price = |count: &Fraction| nano(&(beyond(count) * self.number("overage_price")));
        let over = beyond(&used.count) - beyond(&before);
        let mut lines = Vec::new();
        if over < quantity {
            lines.push(Line { code: "included", quantity: &quantity - &over, amount: Fraction::zero() });
        }
        if over > Fraction::zero() {
            let amount = price(&used.count) - price(&before);
            lines.push(Line { code: "overage", quantity: over, amount });
        }
        let premium = self.settings["premium_routes"].as_array();
        if premium.is_some_and(|routes| routes.iter().any(|route| route == event.data.route.as_str())) {
            let amount = self.number("premium_surcharge");
            lines.push(Line { code: "premium", quantity: Fraction::one(), amount });
        }
        lines
    }

    fn tiered(&self, event: &Event<'_>, used: &mut Used) -> Vec<Line> {
        let measures = self.settings["measures"].as_array().expect("measures").iter();
        let names = measures.map(|name| name.as_str().expect("a measure"));
        let sum = names.fold(Fraction::zero(), |sum, name| sum + event.measure(name));
        let quantity = sum / fraction::read(self.settings["divide_by"].as_str().unwrap_or("1"));
        let before = used.count.clone();
        used.count += &quantity;
        if quantity.is_zero() {
            return Vec::new();
        }
        let amount = nano(&self.tiers(&used.count)) - nano(&self.tiers(&before));
        vec![Line { code: "tiered", quantity, amount }]
    }

    /// Every tier that is begun costs its flat amount, and its price for what lies within it.
    fn tiers(&self, count: &Fraction) -> Fraction {
        let (mut price, mut from) = (Fraction::zero(), Fraction::zero());
        for tier in self.settings["tiers"].as_array().expect("tiers") {
            let number = |name: &str| fraction::read(tier[name].as_str().unwrap_or("0"));
            let to =
                tier["up_to"].as_str().map_or_else(|| larger(from.clone(), count.clone()), fraction::read);
            let within = smaller(count.clone(), to.clone()) - &from;
            if within > Fraction::zero() {
                price += within * number("unit_price") + number("flat");
            }
            from = to;
        }
        price
    }

    fn conversation(&self, event: &Event<'_>, used: &mut Used) -> Vec<Line> {
        let attribute = self.settings["attribute"].as_str().expect("an attribute");
        let is_new = used.seen.insert(event.data.attributes[attribute].clone());
        if !is_new {
            return Vec::new();
        }
        used.count += Fraction::one();
        if used.count <= self.number("included") {
            return Vec::new();
        }
        vec![Line { code: "conversation", quantity: Fraction::one(), amount: self.number("price") }]
    }
}
