// Where a plugin records which units an event is worth.

import { Decimal } from "./decimal.js";
import { Fault } from "./fault.js";
import { wordsOf } from "./words.js";

export const QUANTITY_PLACES_MAX = 12;

// A quantity in a form that the contract allows: not negative, and no more than twelve places.
export function quantityOf(quantity) {
  if (exact(quantity).isNegative) {
    throw new Fault(`the quantity ${quantity} is negative`);
  }
  if (quantity.scale <= QUANTITY_PLACES_MAX) {
    return quantity;
  }
  const shortest = quantity.shortest();
  if (shortest.scale > QUANTITY_PLACES_MAX) {
    throw new Fault(`the quantity ${shortest} has more than twelve digits after the point`);
  }
  return shortest;
}

// The value itself, if it is a decimal: nothing else has these.
export function exact(value) {
  if (value?.small === undefined) {
    throw new Fault(`${value} is no exact decimal; write decimal("0.05")`);
  }
  return value;
}

export class Usage {
  constructor(frame) {
    this._strings = frame.strings;
    this._known = undefined;
    this._added = [];
    // How many rows there are, of all events so far.
    this._rows = 0;
    this._units = [];
    this._keys = [];
    this._quantities = [];
  }

  add(unit, quantity) {
    if (unit.aggregation === "distinct") {
      throw new Fault("the plugin adds to a `distinct` unit without a key; use addDistinct");
    }
    // What is right in most cases is seen without a call.
    const counted = quantity?.small >= 0 && quantity.scale <= QUANTITY_PLACES_MAX ? quantity : quantityOf(quantity);
    if (counted.small !== 0) {
      const row = this._rows;
      this._units[row] = unit.position;
      this._keys[row] = 0;
      this._quantities[row] = counted;
      this._rows = row + 1;
    }
  }

  addDistinct(unit, key) {
    if (unit.aggregation !== "distinct") {
      throw new Fault("the plugin adds a key to a unit that is not `distinct`; use add");
    }
    if (!key) {
      throw new Fault("the key of a `distinct` unit is empty");
    }
    this._known ??= new Map(this._strings.map((text, position) => [text, position]));
    let position = this._known.get(key);
    if (position === undefined) {
      position = this._known.size;
      this._known.set(key, position);
      this._added.push(key);
    }
    const row = this._rows;
    this._units[row] = unit.position;
    this._keys[row] = position;
    this._quantities[row] = Decimal.ONE;
    this._rows = row + 1;
  }

  // Forgets this row and those after it.
  _dropFrom(row) {
    this._rows = row;
    for (const column of [this._units, this._keys, this._quantities]) {
      column.length = row;
    }
  }

  _metered(counts, faults) {
    return {
      counts,
      units: this._units,
      keys: this._keys,
      quantities: wordsOf(this._quantities),
      strings: this._added,
      faults,
    };
  }
}
