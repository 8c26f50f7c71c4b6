// Where a plugin writes what an event costs.

import { Decimal } from "./decimal.js";
import { exact, quantityOf } from "./usage.js";

export class Bill {
  constructor() {
    this._rated = { counts: [], lines: [], quantities: [], unitPrices: [], amounts: [], refusals: [], faults: [] };
    this._line = 0;
  }

  add(line, { quantity, unitPrice = Decimal.ZERO, amount }) {
    const rated = this._rated;
    quantityOf(exact(quantity)).toWords(rated.quantities);
    exact(unitPrice).toWords(rated.unitPrices);
    exact(amount).toWords(rated.amounts);
    rated.lines.push(line.position);
  }

  refuse(refusal, detail = "") {
    this._rated.refusals.push({ event: this._rated.counts.length, code: refusal.position, detail });
  }

  _endEvent(row, fault) {
    const rated = this._rated;
    if (fault !== undefined) {
      rated.lines.length = this._line;
      for (const column of [rated.quantities, rated.unitPrices, rated.amounts]) {
        column.length = 2 * this._line;
      }
      rated.refusals = rated.refusals.filter(({ event }) => event !== row);
      rated.faults.push({ event: row, message: fault.message });
    }
    rated.counts.push(rated.lines.length - this._line);
    this._line = rated.lines.length;
  }
}
