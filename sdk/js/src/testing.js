// Prices events natively, as the host would: for a plugin's own tests, with `node --test`.

import { Decimal } from "./decimal.js";
import { Fault } from "./fault.js";

// A plugin with settings, and the counters of its customers.
export class TestBench {
  #plugin;
  #settings;
  #descriptor;
  #counters = new Map();
  #seen = new Set();
  #charged = new Map();

  constructor(plugin, settings) {
    this.#plugin = plugin;
    this.#settings = JSON.stringify(settings);
    this.#descriptor = plugin.describe();
    const problems = this.problems();
    if (problems.length > 0) {
      throw new Error(problems.map(({ pointer, message }) => `${pointer}: ${message}`).join("; "));
    }
  }

  problems() {
    return this.#plugin.check(this.#settings);
  }

  event(event = {}) {
    return this.batch([event])[0];
  }

  batch(events) {
    const frame = frameOf(events.map(complete));
    const metered = this.#plugin.meter(this.#settings, frame);
    refuse(metered.faults);
    const counted = this.#count(events.map(complete), frame, metered);
    const rated = this.#plugin.rate(this.#settings, frame, counted);
    refuse(rated.faults);
    const answers = this.#linesOf(rated);
    answers.forEach((lines, row) => this.#charge(complete(events[row]).customer, lines));
    return answers.map(show);
  }

  close(customer = "customer") {
    const charged = this.#charged.get(customer) ?? new Map();
    this.#charged.delete(customer);
    const total = [...charged.values()].reduce((sum, amount) => sum.plus(amount), Decimal.ZERO);
    const frame = frameOf([complete({ customer })]);
    const column = (name, amount) => frame.numbers.push({ name, words: wordsOf([amount]) });
    column("charged", total);
    charged.forEach((amount, code) => column(`charged:${code}`, amount));
    const totals = { counts: [0], units: [], groups: [], totals: [] };
    for (const [key, { owner, unit, group, total: counter }] of this.#counters) {
      if (owner === customer) {
        this.#counters.delete(key);
        totals.counts[0] += 1;
        totals.units.push(unit);
        totals.groups.push(idOf(frame.strings, group));
        counter.toWords(totals.totals);
      }
    }
    const rated = this.#plugin.close(this.#settings, frame, totals);
    refuse(rated.faults);
    return show(this.#linesOf(rated)[0]);
  }

  // What the host's own counters would say.
  #count(events, frame, metered) {
    const counted = { counts: metered.counts, units: metered.units, quantities: metered.quantities, before: [], after: [] };
    const strings = [...frame.strings, ...metered.strings];
    let row = 0;
    events.forEach((event, number) => {
      for (const end = row + metered.counts[number]; row < end; row += 1) {
        const unit = this.#descriptor.units[metered.units[row]];
        const owner = (unit.pooled && event.parent) || event.customer;
        const group = unit.groupBy.map((name) => event.texts[name] ?? "").join(", ");
        const key = JSON.stringify([metered.units[row], owner, group]);
        const before = this.#counters.get(key)?.total ?? Decimal.ZERO;
        const quantity = Decimal.fromWords(metered.quantities[2 * row], metered.quantities[2 * row + 1]);
        const seen = `${key} ${strings[metered.keys[row]]}`;
        const grows = unit.aggregation !== "distinct" || !this.#seen.has(seen);
        const after = unit.aggregation === "max" ? before.max(quantity) : grows ? before.plus(quantity) : before;
        this.#seen.add(seen);
        this.#counters.set(key, { owner, unit: metered.units[row], group, total: after });
        before.toWords(counted.before);
        after.toWords(counted.after);
      }
    });
    return counted;
  }

  #linesOf(rated) {
    let row = 0;
    return rated.counts.map((count, event) => {
      const lines = [];
      for (const end = row + count; row < end; row += 1) {
        const decimal = (words) => Decimal.fromWords(words[2 * row], words[2 * row + 1]);
        const { code } = this.#descriptor.lines[rated.lines[row]];
        lines.push({ code, quantity: decimal(rated.quantities), unitPrice: decimal(rated.unitPrices), amount: decimal(rated.amounts) });
      }
      const refused = rated.refusals.filter((refusal) => refusal.event === event);
      return Object.assign(lines, {
        refusals: refused.map(({ code, detail }) => ({ code: this.#descriptor.refusals[code].code, detail })),
      });
    });
  }

  #charge(customer, lines) {
    const charged = this.#charged.get(customer) ?? new Map();
    this.#charged.set(customer, charged);
    for (const { code, amount } of lines) {
      charged.set(code, (charged.get(code) ?? Decimal.ZERO).plus(amount));
    }
  }
}

function show(lines) {
  const shown = lines.map(({ code, quantity, unitPrice, amount }) => {
    const price = unitPrice.isZero ? "" : ` at ${unitPrice}`;
    return `${code}: ${quantity}${price} = ${amount}`;
  });
  shown.push(...lines.refusals.map(({ code, detail }) => `refused: ${code}${detail && ` (${detail})`}`));
  return shown.join("\n") || "nothing";
}

function complete({ customer = "customer", parent = "", feature = "", route = "", model = "", provider = "", ...rest }) {
  const texts = { customer, parent, feature, route, model, provider };
  for (const [name, text] of Object.entries(rest.attributes ?? {})) {
    texts[`attribute:${name}`] = text;
  }
  const numbers = { "network-cost": rest.networkCost ?? "0" };
  for (const [name, number] of Object.entries(rest.measures ?? {})) {
    numbers[`measure:${name}`] = number;
  }
  return { customer, parent, texts, numbers, time: BigInt(rest.time ?? 0) };
}

function frameOf(events) {
  const strings = [""];
  const names = (kind) => [...new Set(events.flatMap((event) => Object.keys(event[kind])))];
  const texts = names("texts").map((name) => ({
    name,
    ids: events.map((event) => idOf(strings, event.texts[name] ?? "")),
  }));
  const numbers = names("numbers").map((name) => ({
    name,
    words: wordsOf(events.map((event) => Decimal.parse(event.numbers[name] ?? "0"))),
  }));
  return { rows: events.length, strings, times: events.map(({ time }) => time), texts, numbers };
}

function wordsOf(decimals) {
  const words = [];
  decimals.forEach((value) => value.toWords(words));
  return words;
}

function idOf(strings, text) {
  const position = strings.indexOf(text);
  return position >= 0 ? position : strings.push(text) - 1;
}

function refuse(faults) {
  if (faults.length > 0) {
    throw new Fault(faults[0].message);
  }
}
