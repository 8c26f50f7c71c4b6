// Types of the SDK. What each is for is said in the contract, `sdk/wit/pricing.wit`, and in the README.

/** An exact decimal: up to 96 bits, 28 of its digits after the point. Never a Number. */
export class Decimal {
  private constructor();
  static readonly ZERO: Decimal;
  static readonly ONE: Decimal;
  /** Reads `-12.50`; throws a Fault for anything else. */
  static parse(text: string): Decimal;
  static fromWords(low: bigint, high: bigint): Decimal;
  /** Appends the contract's two words. */
  toWords(words: bigint[]): void;
  /** How many digits are written after the point, trailing zeros included. */
  readonly scale: number;
  readonly isZero: boolean;
  readonly isNegative: boolean;
  /** Exact, or a Fault: never rounded to make it fit. */
  plus(other: Decimal): Decimal;
  /** Exact, or a Fault. */
  minus(other: Decimal): Decimal;
  /** Exact, or a Fault. */
  times(other: Decimal): Decimal;
  /** How much of this lies beyond a limit: the difference, or zero when it is below. */
  beyond(limit: Decimal): Decimal;
  negated(): Decimal;
  /** -1, 0 or 1: less, equal or greater, by value. */
  compare(other: Decimal): -1 | 0 | 1;
  equals(other: Decimal): boolean;
  min(other: Decimal): Decimal;
  max(other: Decimal): Decimal;
  /** Rounded half to even to so many digits after the point. */
  rounded(places: number): Decimal;
  /** Rounded half to even to nine places, as every amount that is charged. */
  roundedToNano(): Decimal;
  /** The quotient, rounded half to even once, to so many digits (0 to 28) after the point. */
  dividedByRounded(divisor: Decimal, places: number): Decimal;
  /** The same value without trailing zeros after the point. */
  shortest(): Decimal;
  toString(): string;
  toJSON(): string;
}

/** A decimal that is written in the source: `decimal("0.05")`. */
export function decimal(text: string): Decimal;

/** An event that this plugin cannot price, with the reason as a sentence: throw it. */
export class Fault extends Error {
  constructor(message: string);
}

export interface Unit {
  readonly name: string;
  readonly aggregation: "sum" | "max" | "distinct";
  readonly pooled: boolean;
  readonly groupBy: string[];
}
export interface Line {
  readonly code: string;
  readonly title: string;
  readonly unit: string;
  readonly kind: "charge" | "credit" | "adjustment";
}
export interface Refusal {
  readonly code: string;
  readonly title: string;
}
/** A unit that a customer understands. A name that begins with `/` points into the settings. */
export function unit(unit: { name: string; aggregation?: Unit["aggregation"]; pooled?: boolean; groupBy?: string[] }): Unit;
/** One kind of row on a customer's statement. */
export function line(line: { code: string; title: string; unit: Unit | string; kind?: Line["kind"] }): Line;
/** A reason why an event should not run at all. */
export function refusal(refusal: Refusal): Refusal;

/** One setting: what JSON it accepts, and what the plugin gets of it. */
export interface Setting<Value> {
  /** With a default (as the JSON would write it), the setting need not be set. */
  default(value: unknown): Setting<Value>;
}
/** What a class of settings reads as. */
export type Read<Field> = Field extends Setting<infer Value> ? Value : never;
export const setting: {
  decimal(about?: string): Setting<Decimal>;
  text(about?: string): Setting<string>;
  boolean(about?: string): Setting<boolean>;
  integer(about?: string): Setting<number>;
  choice<Text extends string>(texts: readonly Text[], about?: string): Setting<Text>;
  list<Value>(field: Setting<Value>, about?: string): Setting<Value[]>;
  optional<Value>(field: Setting<Value>, about?: string): Setting<Value | null>;
  object<Fields extends Record<string, Setting<unknown>>>(
    fields: Fields,
    about?: string,
  ): Setting<{ readonly [Name in keyof Fields]: Read<Fields[Name]> }>;
};

/** One metered action. It is the next event once the function has returned; texts are empty when it has none. */
export interface Event {
  readonly customer: string;
  readonly parent: string;
  readonly feature: string;
  readonly route: string;
  readonly model: string;
  readonly provider: string;
  attribute(name: string): string;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: bigint;
  readonly networkCost: Decimal;
  /** Zero when the event has no number of that name. */
  measure(name: string): Decimal;
}

export interface Usage {
  /** Adds to a `sum`, or offers what may be the largest of a `max`. Nothing is recorded for zero. */
  add(unit: Unit, quantity: Decimal): void;
  /** Counts one for a key that is seen for the first time in the period. */
  addDistinct(unit: Unit, key: string): void;
}

/** A counter around one event. */
export interface Count {
  readonly before: Decimal;
  readonly after: Decimal;
  /** By how much the event moved the counter. */
  grown(): Decimal;
  /** This event's share of a cumulative formula; see `cumulative`. */
  cumulative(formula: (total: Decimal) => Decimal): Decimal;
}
export interface Counted {
  /** Undefined when the event is worth none of the unit. */
  of(unit: Unit): Count | undefined;
}
/** f(after) − f(before), each rounded half to even to nine places, so that a period adds up to f(total) exactly. */
export function cumulative(before: Decimal, after: Decimal, formula: (total: Decimal) => Decimal): Decimal;

export interface Bill {
  /** The unit price is shown and never computed with; leave it out where there is no single one. */
  add(line: Line, row: { quantity: Decimal; unitPrice?: Decimal; amount: Decimal }): void;
  /** Says that the event should not run. */
  refuse(refusal: Refusal, detail?: string): void;
}

/** One customer at the end of a period. */
export interface Closing {
  readonly customer: string;
  readonly parent: string;
  readonly periodEnd: bigint;
  readonly networkCost: Decimal;
  /** What all lines of the period have charged so far. */
  readonly charged: Decimal;
  chargedAs(line: Line): Decimal;
}
export interface Totals {
  of(unit: Unit): Decimal;
  groupsOf(unit: Unit): Map<string, Decimal>;
}

export interface Problems {
  /** A JSON pointer to the value, and a sentence that says what is wrong and what would be right. */
  add(pointer: string, message: string): void;
  refuseNegative(pointer: string, value: Decimal): void;
}

/** What an author writes. Each function is pure, and may throw a Fault for its event. */
export interface Author<Settings> {
  name: string;
  version: string;
  summary: string;
  settings: Setting<Settings>;
  units: Unit[];
  lines: Line[];
  refusals?: Refusal[];
  check?(settings: Settings, problems: Problems): void;
  meter(settings: Settings, event: Event, usage: Usage): void;
  rate(settings: Settings, event: Event, counted: Counted, bill: Bill): void;
  close?(settings: Settings, customer: Closing, totals: Totals, bill: Bill): void;
}
/** The component's exports. */
export interface Plugin {
  readonly [name: string]: (...given: never[]) => unknown;
}
/** Makes the component's exports of an author's functions. Export the answer as `plugin`. */
export function pricing<Settings>(author: Author<Settings>): Plugin;

/** A period's fee, minimum and cap, as read. */
export interface PeriodTerms {
  readonly fee: Decimal;
  readonly minimum: Decimal;
  readonly cap: Decimal | null;
}
/** A setting of a period's fee, minimum and cap: `period` by custom. */
export function periodTerms(about?: string): Setting<PeriodTerms>;
export function checkPeriod(terms: PeriodTerms, pointer: string, problems: Problems): void;
/** As the period ends: charges the fee and what is missing to the minimum, or credits what lies beyond the cap. */
export function closePeriod(
  terms: PeriodTerms,
  lines: { fee: Line; minimum: Line; cap: Line },
  charged: Decimal,
  bill: Bill,
): void;

/** Lines for the plugin's author, in the host's log. */
export const log: Record<"debug" | "info" | "warn" | "error", (message: string) => void>;
