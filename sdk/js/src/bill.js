// Where a plugin writes what an event costs.

import { Decimal } from "./decimal.js";
import { QUANTITY_PLACES_MAX, exact, quantityOf } from "./usage.js";
import { wordsOf } from "./words.js";

export class Bill {
  constructor() {
    this._event = 0;
    // How many lines there are, of all events so far.
    this._rows = 0;
    this._lines = [];
    this._quantities = [];
    this._unitPrices = [];
    this._amounts = [];
    this._refusals = [];
  }

  add(line, charged) {
    const quantity = charged.quantity;
    const unitPrice = charged.unitPrice ?? Decimal.ZERO;
    const amount = charged.amount;
    const row = this._rows;
    // What is right in most cases is seen without a call.
    const isQuantity = quantity?.small >= 0 && quantity.scale <= QUANTITY_PLACES_MAX;
    this._quantities[row] = isQuantity ? quantity : quantityOf(quantity);
    this._unitPrices[row] = unitPrice.small >= 0 ? unitPrice : exact(unitPrice);
    this._amounts[row] = amount?.small >= 0 ? amount : exact(amount);
    this._lines[row] = line.position;
    this._rows = row + 1;
  }

  refuse(refusal, detail = "") {
    this._refusals.push({ event: this._event, code: refusal.position, detail });
  }

  // Forgets this row and those after it, and what was refused of the event.
  _dropFrom(row) {
    this._rows = row;
    for (const column of [this._lines, this._quantities, this._unitPrices, this._amounts]) {
      column.length = row;
    }
    this._refusals = this._refusals.filter(({ event }) => event !== this._event);
  }

  _rated(counts, faults) {
    return {
      counts,
      lines: this._lines,
      quantities: wordsOf(this._quantities),
      unitPrices: wordsOf(this._unitPrices),
      amounts: wordsOf(this._amounts),
      refusals: this._refusals,
      faults,
    };
  }
}
