//! Events to rate: made up by a fixed rule, or out of a real trace where that is at hand.

use std::fmt::Write as _;

use crate::tollgate::{repository, say};

/// The trace, beside the repository. It is under another licence than this project and never committed.
const TRACE: &str = "../shared/data/azure-llm-inference-2023-code.csv";

/// The real trace as events, one JSON object a line; nothing, with a line that says so, where it is absent.
pub fn trace() -> Option<String> {
    let Ok(table) = std::fs::read_to_string(repository().join(TRACE)) else {
        say("skipped: ../shared/data is absent");
        return None;
    };
    let mut events = String::new();
    for (row, record) in table.lines().skip(1).enumerate() {
        let mut fields = record.split(',');
        let mut field = || fields.next().expect("three fields");
        let (time, input, output) = (field(), field(), field());
        let (day, clock) = time.split_once(' ').expect("a day and a time");
        let is_long = input.parse::<u64>().expect("a count") > 4_000;
        let workspace = row * 7_919 % 40;
        let feature = ["code-review", "code-completion", "repo-search"][row % 3];
        let (route, model) = if is_long { ("premium", "gpt-4o") } else { ("default", "gpt-4o-mini") };
        let _ = writeln!(
            events,
            r#"{{"specversion":"1.0","id":"req-{row:07}","source":"acme-code","type":"ai.usage","subject":"workspace-{workspace:02}","time":"{day}T{}Z","data":{{"feature":"{feature}","route":"{route}","model":"{model}","measures":{{"input_tokens":{input},"output_tokens":{output}}},"attributes":{{"conversation":"c{workspace:02}-{}"}}}}}}"#,
            &clock[..12],
            row / 120,
        );
    }
    Some(events)
}

/// A price book for [`generate`]: prices that do not divide evenly, that tie when rounded, that change with
/// the date, the route and the length of the input.
pub const PRICES: &str = r#"{"currency": "USD", "entries": [
  {"model": "small", "prices": [{"measure": "input_tokens", "price": "0.0375", "per": 1000000},
    {"measure": "cache_read_tokens", "price": "0.0005", "per": 1000000},
    {"measure": "output_tokens", "price": "0.15", "per": 1000000}]},
  {"model": "small", "route": "premium", "effective_from": "2023-12-15", "prices": [
    {"measure": "input_tokens", "price": "1", "per": 3000}, {"measure": "cache_read_tokens", "price": "0"},
    {"measure": "output_tokens", "price": "0.000000001", "per": 7}]},
  {"model": "large", "effective_from": "2020-01-01", "prices": [
    {"measure": "input_tokens", "price": "2.50", "per": 1000000},
    {"measure": "cache_read_tokens", "price": "0.25", "per": 1000000},
    {"measure": "output_tokens", "price": "10.00", "per": 1000000},
    {"measure": "pages", "price": "0.00000000123", "per": 1}]},
  {"model": "large", "effective_from": "2020-01-01", "above_input_tokens": 50000, "prices": [
    {"measure": "input_tokens", "price": "5", "per": 1000000},
    {"measure": "cache_read_tokens", "price": "0.5", "per": 1000000},
    {"measure": "output_tokens", "price": "15", "per": 1000000}]},
  {"model": "large", "effective_from": "2024-01-01", "prices": [
    {"measure": "input_tokens", "price": "2.25", "per": 1000000},
    {"measure": "cache_read_tokens", "price": "0.225", "per": 1000000},
    {"measure": "output_tokens", "price": "9", "per": 1000000}]}]}"#;

/// So many events, the same ones each time: two apps with some customers of the same names, four months, out
/// of order, decimals in every spelling, premium routes, costs that the event itself reports, and here and
/// there an event that comes a second time.
pub fn generate(count: u64) -> String {
    let mut dice = Dice(0x7011_6a7e);
    let mut events: Vec<String> = Vec::new();
    for number in 0..count {
        if dice.roll(50) == 0 && number > 0 {
            let again = dice.roll(number);
            events.push(events[usize::try_from(again).unwrap()].clone());
        } else {
            events.push(event(number, &mut dice));
        }
    }
    events.iter().fold(String::new(), |lines, event| lines + event + "\n")
}

fn event(number: u64, dice: &mut Dice) -> String {
    let app = dice.one_of(&["acme-code", "acme-code", "acme-docs"]);
    let customer = dice.roll(7);
    let route = dice.one_of(&[r#""route":"premium","#, r#""route":"batch","#, r#""route":"default","#, ""]);
    let model = dice.one_of(&["small", "small", "large"]);
    let input = dice.roll(60_000);
    let cached = dice.roll(30_000);
    let output = decimal(dice, 4_000, 3);
    let pages = decimal(dice, 40, 9);
    let cost = match dice.roll(9) {
        0 => format!(r#""network_cost":"0.{:09}","#, dice.roll(1_000_000_000)),
        _ => String::new(),
    };
    let conversation = dice.roll(9);
    let time = time(dice);
    format!(
        r#"{{"specversion":"1.0","id":"event-{number}","source":"{app}","type":"ai.usage","subject":"customer-{customer}","time":"{time}","data":{{{route}"model":"{model}",{cost}"measures":{{"input_tokens":{input},"cache_read_tokens":{cached},"output_tokens":{output},"pages":{pages}}},"attributes":{{"conversation":"talk-{conversation}"}}}}}}"#
    )
}

/// In one of four months; often at its very edge.
fn time(dice: &mut Dice) -> String {
    let (month, last) = dice.one_of(&[("2023-11", 30), ("2023-12", 31), ("2024-01", 31), ("2024-02", 29)]);
    let day = match dice.roll(4) {
        0 => 1,
        1 => last,
        _ => 1 + dice.roll(last),
    };
    let clock = match dice.roll(6) {
        0 => "00:00:00.000".to_owned(),
        1 => "23:59:59.999".to_owned(),
        2 => "18:29:59.999".to_owned(),
        3 => "18:30:00.000".to_owned(),
        _ => format!("{:02}:{:02}:{:02}.5", dice.roll(24), dice.roll(60), dice.roll(60)),
    };
    format!("{month}-{day:02}T{clock}Z")
}

/// A number above zero with at most so many digits after the point, in one of its spellings.
fn decimal(dice: &mut Dice, below: u64, digits: u32) -> String {
    let whole = dice.roll(below);
    let places = usize::try_from(digits).unwrap();
    let fraction = format!("{:0places$}", 1 + dice.roll(10_u64.pow(digits) - 1));
    match dice.roll(4) {
        0 => format!("{}", whole + 1),
        1 => format!("{whole}.{fraction}"),
        2 => format!(r#""{whole}.{fraction}""#),
        _ => format!("{}e-{digits}", whole * 10_u64.pow(digits) + 7),
    }
}

/// Numbers that look random and are not: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }
}
