// What an author writes, and a plugin's functions over whole batches.

import { Bill } from "./bill.js";
import { Counted, Totals } from "./counted.js";
import { placed } from "./declaration.js";
import { Closing, Columns, Event } from "./event.js";
import { Fault } from "./fault.js";
import { log } from "./log.js";
import { Problem, readSettings, schemaText } from "./settings.js";
import { Usage } from "./usage.js";

// What is wrong with a tariff's settings, collected by `check`.
class Problems {
  found = [];

  add(pointer, message) {
    this.found.push({ pointer, message });
  }

  refuseNegative(pointer, value) {
    if (value.isNegative) {
      this.add(pointer, `${value} is negative; use zero or more`);
    }
  }
}

// Makes the component's exports of an author's functions. Export the answer as `plugin`.
export function pricing(author) {
  for (const needed of ["name", "version", "summary", "settings", "units", "lines", "meter", "rate"]) {
    if (author[needed] === undefined) {
      throw new TypeError(`the plugin has no \`${needed}\``);
    }
  }
  const units = placed(author.units);
  const lines = placed(author.lines);
  const refusals = placed(author.refusals ?? []);
  // `meter` and `rate` of a batch share theirs, and reading them costs more than pricing a few events.
  let last = { text: undefined, settings: undefined };
  const settingsOf = (text) => {
    if (last.text !== text) {
      last = { text, settings: readSettings(author.settings, text) };
    }
    return last.settings;
  };

  return reporting({
    describe: () => ({
      name: author.name,
      version: author.version,
      summary: author.summary,
      units: units.map(({ position, ...unit }) => unit),
      lines: lines.map(({ position, ...line }) => line),
      refusals: refusals.map(({ position, ...refusal }) => refusal),
      settingsSchema: schemaText(author.settings),
    }),

    check(text) {
      const problems = new Problems();
      try {
        author.check?.(settingsOf(text), problems);
      } catch (error) {
        if (error instanceof Problem) {
          return [{ pointer: error.pointer, message: error.message }];
        }
        throw error;
      }
      return problems.found;
    },

    meter(text, frame) {
      const settings = settingsOf(text);
      const event = new Event(new Columns(frame));
      const usage = new Usage(frame);
      for (let row = 0; row < frame.rows; row += 1) {
        event._row = row;
        try {
          author.meter(settings, event, usage);
          usage._endEvent(row);
        } catch (error) {
          usage._endEvent(row, fault(error));
        }
      }
      return usage._metered;
    },

    rate(text, frame, table) {
      const settings = settingsOf(text);
      const event = new Event(new Columns(frame));
      const counted = new Counted(table);
      const bill = new Bill();
      for (let row = 0; row < frame.rows; row += 1) {
        event._row = row;
        counted._start = counted._end;
        counted._end += table.counts[row];
        try {
          author.rate(settings, event, counted, bill);
          bill._endEvent(row);
        } catch (error) {
          bill._endEvent(row, fault(error));
        }
      }
      return bill._rated;
    },

    close(text, frame, table) {
      const settings = settingsOf(text);
      const customer = new Closing(new Columns(frame));
      const totals = new Totals(table, frame.strings);
      const bill = new Bill();
      for (let row = 0; row < frame.rows; row += 1) {
        customer._row = row;
        totals._start = totals._end;
        totals._end += table.counts[row];
        try {
          author.close?.(settings, customer, totals, bill);
          bill._endEvent(row);
        } catch (error) {
          bill._endEvent(row, fault(error));
        }
      }
      return bill._rated;
    },
  });
}

// A fault ends its event. Anything else that is thrown is a mistake in the plugin and ends the batch.
function fault(error) {
  if (error instanceof Fault) {
    return error;
  }
  throw error;
}

// Writes what went wrong to the host's log before the trap.
function reporting(exported) {
  const wrapped = Object.entries(exported).map(([name, answer]) => [
    name,
    (...given) => {
      try {
        return answer(...given);
      } catch (error) {
        log.error(`${error} (${String(error?.stack).split("\n").find((place) => place.includes("@") || place.includes(" at ")) ?? "somewhere"})`);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(wrapped);
}
