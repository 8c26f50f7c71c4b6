// One event, and one customer at a period's end, over the columns of their batch.

import { Decimal } from "./decimal.js";
import { decimalAt, halvesOf } from "./words.js";

// A frame's columns by name. Those that this SDK does not know are ignored, as the contract demands.
export class Columns {
  constructor(frame) {
    this.strings = frame.strings;
    this.none = new Uint32Array(frame.rows);
    this.times = frame.times;
    this.texts = new Map(frame.texts.map(({ name, ids }) => [name, ids]));
    this.numbers = new Map(frame.numbers.map(({ name, words }) => [name, halvesOf(words)]));
  }

  // The ids of a text column: of the empty text, where there is none of that name.
  ids(name) {
    return this.texts.get(name) ?? this.none;
  }

  text(name, row) {
    const ids = this.texts.get(name);
    return ids === undefined ? "" : this.strings[ids[row]];
  }

  number(name, row) {
    const column = this.numbers.get(name);
    return column === undefined ? Decimal.ZERO : decimalAt(column, row);
  }
}

// It is the next event once the function has returned. Texts are empty when the event has none.
export class Event {
  constructor(columns) {
    this._columns = columns;
    this._strings = columns.strings;
    this._row = 0;
    // Found once for the batch.
    this._customer = columns.ids("customer");
    this._parent = columns.ids("parent");
    this._feature = columns.ids("feature");
    this._route = columns.ids("route");
    this._model = columns.ids("model");
    this._provider = columns.ids("provider");
    this._measure = undefined;
    this._measures = undefined;
  }

  get customer() {
    return this._strings[this._customer[this._row]];
  }

  get parent() {
    return this._strings[this._parent[this._row]];
  }

  get feature() {
    return this._strings[this._feature[this._row]];
  }

  get route() {
    return this._strings[this._route[this._row]];
  }

  get model() {
    return this._strings[this._model[this._row]];
  }

  get provider() {
    return this._strings[this._provider[this._row]];
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
    return this._measures === undefined ? Decimal.ZERO : decimalAt(this._measures, this._row);
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
