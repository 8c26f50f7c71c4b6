//! The rule in languages that are embedded: Rhai, Lua and CEL. Each is compiled once and asked event by event.
//!
//! Rhai has decimals, the host's own. Lua and CEL have 64-bit integers and binary floats, so money and
//! quantities are whole numbers there: quantities count millionths, the price nano-units, and their product
//! is divided back, which must leave nothing. Above nine thousand units of currency in one counter the
//! product no longer fits; CEL says so, Lua wraps round in silence.

use mlua::Lua as Interpreter;
use rhai::{AST, Engine, Scope};
use rust_decimal::Decimal;

use crate::rule::{Charge, Contestant, Event, counters, included, price};

/// Millionths in a unit.
const MICRO_PLACES: u32 = 6;
const NANO_PLACES: u32 = 9;

const RHAI: &str = "
    fn cost(total, included, price) {
        if total > included { ((total - included) * price).round(9) } else { included - included }
    }
    fn least(a, b) { if a < b { a } else { b } }
    fn price(before, after, included, price) {
        let within = least(after, included) - least(before, included);
        [within, after - before - within, cost(after, included, price) - cost(before, included, price)]
    }
";

const LUA: &str = "
    local function cost(total, included, price)
        if total <= included then return 0 end
        local product = (total - included) * price
        assert(product % 1000000 == 0, 'the amount has more than nine places')
        return product // 1000000
    end
    return function(before, after, included, price)
        local within = math.min(after, included) - math.min(before, included)
        return within, after - before - within, cost(after, included, price) - cost(before, included, price)
    end
";

/// CEL has no names for what is computed, so parts are written twice. The amount is not yet divided.
const CEL: &str = "[
    (after < included ? after : included) - (before < included ? before : included),
    after - before - (after < included ? after : included) + (before < included ? before : included),
    (after > included ? (after - included) * price : 0) - (before > included ? (before - included) * price : 0)
]";

/// Rhai with its `decimal` feature.
pub struct Rhai {
    engine: Engine,
    program: AST,
}

impl Rhai {
    pub fn new() -> Self {
        let engine = Engine::new();
        let program = engine.compile(RHAI).expect("the Rhai program is right");
        Self { engine, program }
    }
}

impl Contestant for Rhai {
    fn price(&mut self, events: &[Event]) -> Vec<Charge> {
        let (included, price) = (included(), price());
        let mut scope = Scope::new();
        let mut charge = |before: Decimal, after: Decimal| {
            let given = (before, after, included, price);
            let answer = self.engine.call_fn::<rhai::Array>(&mut scope, &self.program, "price", given);
            let mut answer = answer.expect("Rhai answers").into_iter();
            let mut next = || answer.next().and_then(rhai::Dynamic::try_cast).expect("a decimal");
            Charge { within: next(), beyond: next(), amount: next() }
        };
        counters(events).map(|counter| charge(counter.before, counter.after)).collect()
    }
}

/// Lua 5.4, in integers.
pub struct Lua {
    function: mlua::Function,
    /// The function lives no longer than this.
    _interpreter: Interpreter,
}

impl Lua {
    pub fn new() -> Self {
        let interpreter = Interpreter::new();
        let function = interpreter.load(LUA).eval().expect("the Lua program is right");
        Self { function, _interpreter: interpreter }
    }
}

impl Contestant for Lua {
    fn price(&mut self, events: &[Event]) -> Vec<Charge> {
        let (included, price) = (whole(included(), MICRO_PLACES), whole(price(), NANO_PLACES));
        let charge = |before: Decimal, after: Decimal| {
            let given = (whole(before, MICRO_PLACES), whole(after, MICRO_PLACES), included, price);
            let answer: (i64, i64, i64) = self.function.call(given).expect("Lua answers");
            Charge {
                within: Decimal::new(answer.0, MICRO_PLACES),
                beyond: Decimal::new(answer.1, MICRO_PLACES),
                amount: Decimal::new(answer.2, NANO_PLACES),
            }
        };
        counters(events).map(|counter| charge(counter.before, counter.after)).collect()
    }
}

/// CEL, in integers.
pub struct Cel {
    program: cel::Program,
    environment: std::sync::Arc<cel::Env>,
}

impl Cel {
    pub fn new() -> Self {
        let environment = std::sync::Arc::new(cel::Env::stdlib());
        let program = environment.compile(CEL).expect("the CEL expression is right");
        Self { program, environment }
    }
}

impl Contestant for Cel {
    fn price(&mut self, events: &[Event]) -> Vec<Charge> {
        let mut context = cel::Context::with_env(self.environment.clone());
        context.add_variable_from_value("included", whole(included(), MICRO_PLACES));
        context.add_variable_from_value("price", whole(price(), NANO_PLACES));
        let mut charge = |before: Decimal, after: Decimal| {
            context.add_variable_from_value("before", whole(before, MICRO_PLACES));
            context.add_variable_from_value("after", whole(after, MICRO_PLACES));
            let cel::Value::List(answer) = self.program.execute(&context).expect("CEL answers") else {
                panic!("CEL answers with a list");
            };
            let [cel::Value::Int(within), cel::Value::Int(beyond), cel::Value::Int(amount)] = answer[..]
            else {
                panic!("CEL answers with three integers");
            };
            Charge {
                within: Decimal::new(within, MICRO_PLACES),
                beyond: Decimal::new(beyond, MICRO_PLACES),
                amount: Decimal::new(amount, MICRO_PLACES + NANO_PLACES),
            }
        };
        counters(events).map(|counter| charge(counter.before, counter.after)).collect()
    }
}

/// A decimal as a whole number of its smallest parts, exactly.
fn whole(decimal: Decimal, places: u32) -> i64 {
    let mut scaled = decimal;
    scaled.rescale(places);
    assert_eq!(scaled, decimal, "{decimal} has more than {places} places");
    i64::try_from(scaled.mantissa()).expect("an integer of 64 bits")
}
