// What an event counted for, with the host's counters around it; and a period's totals.

import { Decimal, NANO_PLACES } from "./decimal.js";
import { decimalAt, decimalsOf, halvesOf } from "./words.js";

// What one step of a cumulative formula charges: f(after) - f(before), each rounded half to even to nine places.
export function cumulative(before, after, formula) {
  if (before.compare(after) === 0) {
    return Decimal.ZERO;
  }
  const charged = formula(after);
  const earlier = formula(before);
  return charged.scale <= NANO_PLACES && earlier.scale <= NANO_PLACES
    ? charged.minus(earlier)
    : charged.roundedToNano().minus(earlier.roundedToNano());
}

export class Count {
  constructor(before, after) {
    this.before = before;
    this.after = after;
  }

  grown() {
    return this.after.minus(this.before);
  }

  cumulative(formula) {
    return cumulative(this.before, this.after, formula);
  }
}

export class Counted {
  constructor({ units, before, after }) {
    this._units = units;
    this._before = decimalsOf(before);
    this._after = decimalsOf(after);
    this._start = 0;
    this._end = 0;
  }

  of(unit) {
    const position = unit.position;
    const units = this._units;
    const end = this._end;
    let first = this._start;
    // One row is the rule.
    if (first + 1 === end && units[first] === position) {
      return new Count(this._before[first], this._after[first]);
    }
    while (first < end && units[first] !== position) {
      first += 1;
    }
    if (first === end) {
      return undefined;
    }
    let last = end - 1;
    while (units[last] !== position) {
      last -= 1;
    }
    return new Count(this._before[first], this._after[last]);
  }
}

export class Totals {
  constructor({ units, groups, totals }, strings) {
    this._units = units;
    this._groups = groups;
    this._totals = halvesOf(totals);
    this._strings = strings;
    this._start = 0;
    this._end = 0;
  }

  of(unit) {
    return this.groupsOf(unit).get("") ?? Decimal.ZERO;
  }

  groupsOf({ position }) {
    const found = new Map();
    for (let row = this._start; row < this._end; row += 1) {
      if (this._units[row] === position) {
        found.set(this._strings[this._groups[row]], decimalAt(this._totals, row));
      }
    }
    return found;
  }
}
