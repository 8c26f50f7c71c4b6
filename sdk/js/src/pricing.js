// What an author writes, and a plugin's functions over whole batches.

import { Bill } from "./bill.js";
import { Counted, Totals } from "./counted.js";
import { placed } from "./declaration.js";
import { Closing, Columns, Event } from "./event.js";
import { Fault } from "./fault.js";
import { log } from "./log.js";
import { placeOf } from "./places.js";
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
      const counts = [];
      const faults = [];
      for (let row = 0; row < frame.rows; row += 1) {
        const start = usage._rows;
        event._row = row;
        try {
          author.meter(settings, event, usage);
        } catch (error) {
          faults.push(fault(row, error));
          usage._dropFrom(start);
        }
        counts[row] = usage._rows - start;
      }
      return usage._metered(counts, faults);
    },

    rate(text, frame, table) {
      const event = new Event(new Columns(frame));
      return billed("rate", text, frame, table, event, new Counted(table));
    },

    close(text, frame, table) {
      if (author.close === undefined) {
        return new Bill()._rated(new Array(frame.rows).fill(0), []);
      }
      const customer = new Closing(new Columns(frame));
      return billed("close", text, frame, table, customer, new Totals(table, frame.strings));
    },
  });

  // What the author's function of that name charges for each row of a frame, given its counters.
  function billed(name, text, { rows }, { counts: given }, row, counters) {
    const settings = settingsOf(text);
    const bill = new Bill();
    const counts = [];
    const faults = [];
    for (let event = 0; event < rows; event += 1) {
      const start = bill._rows;
      row._row = event;
      bill._event = event;
      counters._start = counters._end;
      counters._end += given[event];
      try {
        author[name](settings, row, counters, bill);
      } catch (error) {
        faults.push(fault(event, error));
        bill._dropFrom(start);
      }
      counts[event] = bill._rows - start;
    }
    return bill._rated(counts, faults);
  }
}

// A fault ends its event. Anything else that is thrown is a mistake in the plugin and ends the batch.
function fault(event, error) {
  if (error instanceof Fault) {
    return { event, message: error.message };
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
        log.error(`${error} (${placeOf(error)})`);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(wrapped);
}
