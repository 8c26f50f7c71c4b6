// Exact decimals: a BigInt and how many of its digits stand after the point. Never a Number.
//
// Arithmetic never rounds unless it is told to how many places; a result that does not fit the contract's 96 bits and
// 28 places is a Fault, and so is anything that is no exact decimal.

import { Fault } from "./fault.js";

const SCALE_MAX = 28;
const NANO_PLACES = 9;
const END = 1n << 96n;
const NEGATIVE_END = -END;
const SIGN = 1n << 63n;
const LOW = (1n << 64n) - 1n;
const HIGH = (1n << 32n) - 1n;
const POWERS = Array.from({ length: 64 }, (_, power) => 10n ** BigInt(power));
// Scales where the second word has them.
const SCALES = Array.from({ length: SCALE_MAX + 1 }, (_, scale) => BigInt(scale) << 32n);
const TEXT = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;
const TOO_LONG = "a result has more digits than an exact decimal can hold (28 after the point)";

export class Decimal {
  constructor(coefficient, scale) {
    this.coefficient = coefficient;
    this.scale = scale;
  }

  static ZERO = new Decimal(0n, 0);
  static ONE = new Decimal(1n, 0);

  static parse(text) {
    const parts = typeof text === "string" ? TEXT.exec(text) : null;
    if (parts === null) {
      throw new Fault(`\`${text}\` is not a decimal: it is written as digits with at most one point: "12.50"`);
    }
    const [, sign, whole, fraction = ""] = parts;
    const coefficient = BigInt(whole + fraction);
    if (fraction.length > SCALE_MAX || coefficient >= END) {
      throw new Fault(`\`${text}\` is not a decimal: it has at most 28 digits after the point and about 28 in all`);
    }
    return new Decimal(sign === "" ? coefficient : -coefficient, fraction.length);
  }

  // The contract's two words, which the host promises to be canonical.
  static fromWords(low, high) {
    if (high === 0n) {
      return new Decimal(low, 0);
    }
    const coefficient = low | ((high & HIGH) << 64n);
    return new Decimal((high & SIGN) === 0n ? coefficient : -coefficient, Number((high >> 32n) & 0xffn));
  }

  // The same out of a column. Of the second word only bits are looked at, so it need not become a BigInt.
  static at(column, row) {
    const { words, halves } = column;
    const high = halves[4 * row + 2];
    const rest = halves[4 * row + 3];
    const coefficient = words[2 * row];
    if (high === 0 && rest <= SCALE_MAX) {
      return new Decimal(coefficient, rest);
    }
    const magnitude = (BigInt(high) << 64n) | coefficient;
    return new Decimal(rest >>> 31 === 0 ? magnitude : -magnitude, rest & 0xff);
  }

  // Writes the contract's two words.
  toWords(words) {
    const coefficient = this.coefficient;
    if (coefficient <= LOW && coefficient >= 0n) {
      words.push(coefficient, SCALES[this.scale]);
      return;
    }
    const magnitude = coefficient < 0n ? -coefficient : coefficient;
    const sign = coefficient < 0n ? SIGN : 0n;
    words.push(magnitude & LOW, (magnitude >> 64n) | SCALES[this.scale] | sign);
  }

  get isZero() {
    return this.coefficient === 0n;
  }

  get isNegative() {
    return this.coefficient < 0n;
  }

  // The arithmetic below is written out, for in an engine without a compiler each call costs more than a sum does.
  plus(other) {
    let scale = this.scale;
    let coefficient;
    if (scale === other.scale) {
      coefficient = this.coefficient + other.coefficient;
    } else if (scale < other.scale) {
      coefficient = this.coefficient * POWERS[other.scale - scale] + other.coefficient;
      scale = other.scale;
    } else {
      coefficient = this.coefficient + other.coefficient * POWERS[scale - other.scale];
    }
    return coefficient < END && coefficient > NEGATIVE_END ? new Decimal(coefficient, scale) : fit(coefficient, scale);
  }

  minus(other) {
    let scale = this.scale;
    let coefficient;
    if (scale === other.scale) {
      coefficient = this.coefficient - other.coefficient;
    } else if (scale < other.scale) {
      coefficient = this.coefficient * POWERS[other.scale - scale] - other.coefficient;
      scale = other.scale;
    } else {
      coefficient = this.coefficient - other.coefficient * POWERS[scale - other.scale];
    }
    return coefficient < END && coefficient > NEGATIVE_END ? new Decimal(coefficient, scale) : fit(coefficient, scale);
  }

  times(other) {
    const coefficient = this.coefficient * other.coefficient;
    const scale = this.scale + other.scale;
    return scale <= SCALE_MAX && coefficient < END && coefficient > NEGATIVE_END
      ? new Decimal(coefficient, scale)
      : fit(coefficient, scale);
  }

  beyond(limit) {
    let left = this.coefficient;
    let right = limit.coefficient;
    let scale = this.scale;
    if (scale < limit.scale) {
      left *= POWERS[limit.scale - scale];
      scale = limit.scale;
    } else if (scale > limit.scale) {
      right *= POWERS[scale - limit.scale];
    }
    return left <= right ? Decimal.ZERO : fit(left - right, scale);
  }

  negated() {
    return new Decimal(-this.coefficient, this.scale);
  }

  compare(other) {
    let left = this.coefficient;
    let right = other.coefficient;
    if (this.scale < other.scale) {
      left *= POWERS[other.scale - this.scale];
    } else if (this.scale > other.scale) {
      right *= POWERS[this.scale - other.scale];
    }
    return left < right ? -1 : left > right ? 1 : 0;
  }

  equals(other) {
    return this.compare(other) === 0;
  }

  min(other) {
    return other.compare(this) < 0 ? other : this;
  }

  max(other) {
    return other.compare(this) > 0 ? other : this;
  }

  rounded(places) {
    if (this.scale <= places) {
      return this;
    }
    const divisor = POWERS[this.scale - places];
    return new Decimal(halfEven(this.coefficient, divisor), places);
  }

  roundedToNano() {
    return this.scale <= NANO_PLACES ? this : this.rounded(NANO_PLACES);
  }

  dividedByRounded(divisor, places) {
    if (divisor.isZero) {
      throw new Fault(`${this} cannot be divided by zero`);
    }
    const numerator = this.coefficient * 10n ** BigInt(places + divisor.scale);
    const denominator = divisor.coefficient * 10n ** BigInt(this.scale);
    const quotient = denominator < 0n ? halfEven(-numerator, -denominator) : halfEven(numerator, denominator);
    return fit(quotient, places);
  }

  shortest() {
    let { coefficient, scale } = this;
    while (scale > 0 && coefficient % 10n === 0n) {
      coefficient /= 10n;
      scale -= 1;
    }
    return new Decimal(coefficient, scale);
  }

  toString() {
    const negative = this.coefficient < 0n;
    const digits = (negative ? -this.coefficient : this.coefficient).toString().padStart(this.scale + 1, "0");
    const whole = digits.slice(0, digits.length - this.scale);
    return (negative ? "-" : "") + whole + (this.scale > 0 ? `.${digits.slice(-this.scale)}` : "");
  }

  toJSON() {
    return this.toString();
  }

  // Neither `a + b` nor `a < b` is meant: JavaScript would make Numbers or texts of them.
  [Symbol.toPrimitive](hint) {
    if (hint === "string") {
      return this.toString();
    }
    throw new Fault("a decimal is no Number; use plus, minus, times and compare");
  }
}

// A column of decimals: its 64-bit words, and the same bytes as 32-bit halves, the low one first as on WebAssembly.
export class DecimalColumn {
  constructor(words) {
    this.words = words instanceof BigUint64Array ? words : BigUint64Array.from(words);
    this.halves = new Uint32Array(this.words.buffer, this.words.byteOffset, 2 * this.words.length);
  }
}

// A decimal that is written in the source: decimal("0.05").
export function decimal(text) {
  return Decimal.parse(text);
}

// Brings a result into range: exactly, or not at all.
function fit(coefficient, scale) {
  while (scale > SCALE_MAX || coefficient >= END || coefficient <= NEGATIVE_END) {
    if (scale === 0 || coefficient % 10n !== 0n) {
      throw new Fault(TOO_LONG);
    }
    coefficient /= 10n;
    scale -= 1;
  }
  return new Decimal(coefficient, scale);
}

// A quotient, rounded half to even. The divisor is above zero.
function halfEven(dividend, divisor) {
  const magnitude = dividend < 0n ? -dividend : dividend;
  let quotient = magnitude / divisor;
  const twice = (magnitude % divisor) * 2n;
  if (twice > divisor || (twice === divisor && (quotient & 1n) === 1n)) {
    quotient += 1n;
  }
  return dividend < 0n ? -quotient : quotient;
}
