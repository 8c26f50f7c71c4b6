// One event, and one customer at a period's end, over the columns of their batch.

import { Decimal, DecimalColumn } from "./decimal.js";

// A frame's columns by name. Those that this SDK does not know are ignored, as the contract demands.
export class Columns {
  constructor(frame) {
    this.strings = frame.strings;
    this.times = frame.times;
    this.texts = new Map(frame.texts.map(({ name, ids }) => [name, ids]));
    this.numbers = new Map(frame.numbers.map(({ name, words }) => [name, new DecimalColumn(words)]));
  }

  text(name, row) {
    const ids = this.texts.get(name);
    return ids === undefined ? "" : this.strings[ids[row]];
  }

  number(name, row) {
    const column = this.numbers.get(name);
    return column === undefined ? Decimal.ZERO : Decimal.at(column, row);
  }
}

// It is the next event once the function has returned. Texts are empty when the event has none.
export class Event {
  constructor(columns) {
    const { texts } = columns;
    this._columns = columns;
    this._strings = columns.strings;
    this._row = 0;
    // Found once for the batch.
    this._customer = texts.get("customer");
    this._parent = texts.get("parent");
    this._feature = texts.get("feature");
    this._route = texts.get("route");
    this._model = texts.get("model");
    this._provider = texts.get("provider");
    this._measure = undefined;
    this._measures = undefined;
  }

  get customer() {
    const ids = this._customer;
    return ids === undefined ? "" : this._strings[ids[this._row]];
  }

  get parent() {
    const ids = this._parent;
    return ids === undefined ? "" : this._strings[ids[this._row]];
  }

  get feature() {
    const ids = this._feature;
    return ids === undefined ? "" : this._strings[ids[this._row]];
  }

  get route() {
    const ids = this._route;
    return ids === undefined ? "" : this._strings[ids[this._row]];
  }

  get model() {
    const ids = this._model;
    return ids === undefined ? "" : this._strings[ids[this._row]];
  }

  get provider() {
    const ids = this._provider;
    return ids === undefined ? "" : this._strings[ids[this._row]];
  }

  attribute(name) {
    return this._columns.text(`attribute:${name}`, this._row);
  }

  get time() {
    return this._columns.times[this._row];
  }

  get networkCost() {
    return this._columns.number("network-cost", this._row);
  }

  measure(name) {
    // Most plugins ask for the same one again.
    if (this._measure !== name) {
      this._measure = name;
      this._measures = this._columns.numbers.get(`measure:${name}`);
    }
    return this._measures === undefined ? Decimal.ZERO : Decimal.at(this._measures, this._row);
  }
}

export class Closing {
  constructor(columns) {
    this._columns = columns;
    this._row = 0;
  }

  get customer() {
    return this._columns.text("customer", this._row);
  }

  get parent() {
    return this._columns.text("parent", this._row);
  }

  get periodEnd() {
    return this._columns.times[this._row];
  }

  get networkCost() {
    return this._columns.number("network-cost", this._row);
  }

  get charged() {
    return this._columns.number("charged", this._row);
  }

  chargedAs(line) {
    return this._columns.number(`charged:${line.code}`, this._row);
  }
}
