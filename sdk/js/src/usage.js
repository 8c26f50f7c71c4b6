// Where a plugin records which units an event is worth.

import { Fault } from "./fault.js";

const QUANTITY_PLACES_MAX = 12;

// A quantity in a form that the contract allows: not negative, and no more than twelve places.
export function quantityOf(quantity) {
  if (quantity.coefficient >= 0n && quantity.scale <= QUANTITY_PLACES_MAX) {
    return quantity;
  }
  if (exact(quantity).isNegative) {
    throw new Fault(`the quantity ${quantity} is negative`);
  }
  const shortest = quantity.shortest();
  if (shortest.scale > QUANTITY_PLACES_MAX) {
    throw new Fault(`the quantity ${shortest} has more than twelve digits after the point`);
  }
  return shortest;
}

// Nothing else than a decimal has a coefficient.
export function exact(value) {
  if (value?.coefficient === undefined) {
    throw new Fault(`${value} is no exact decimal; write decimal("0.05")`);
  }
  return value;
}

export class Usage {
  constructor(frame) {
    this._metered = { counts: [], units: [], keys: [], quantities: [], strings: [], faults: [] };
    this._strings = frame.strings;
    this._known = undefined;
    this._row = 0;
  }

  add(unit, quantity) {
    if (unit.aggregation === "distinct") {
      throw new Fault("the plugin adds to a `distinct` unit without a key; use addDistinct");
    }
    if (exact(quantity).coefficient === 0n) {
      return;
    }
    const metered = this._metered;
    quantityOf(quantity).toWords(metered.quantities);
    metered.units.push(unit.position);
    metered.keys.push(0);
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
      this._metered.strings.push(key);
    }
    this._metered.units.push(unit.position);
    this._metered.keys.push(position);
    this._metered.quantities.push(1n, 0n);
  }

  _endEvent(row, fault) {
    const metered = this._metered;
    if (fault !== undefined) {
      metered.units.length = this._row;
      metered.keys.length = this._row;
      metered.quantities.length = 2 * this._row;
      metered.faults.push({ event: row, message: fault.message });
    }
    metered.counts.push(metered.units.length - this._row);
    this._row = metered.units.length;
  }
}
