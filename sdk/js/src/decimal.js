// Exact decimals: an integer, and how many of its digits stand after the point.
//
// The integer is a Number while its magnitude is below 2^53, where every integer is a Number of its own, and a BigInt
// beyond. An operation on Numbers is done on Numbers, and its result is kept only if it too is below 2^53. That is
// exact: rounding to a double never passes another double, and 2^53 is one, so a result of 2^53 or more never shows as
// less; and below 2^53 no integer is rounded at all. Whatever is larger is done anew with BigInts. An engine without a
// compiler takes several times as long for a BigInt as for a Number, and few prices need one.
//
// Arithmetic never rounds unless it is told to how many places; a result that does not fit the contract's 96 bits and
// 28 places is a Fault, and so is anything that is no exact decimal.

import { Fault } from "./fault.js";

const SCALE_MAX = 28;
export const NANO_PLACES = 9;
const MAX = Number.MAX_SAFE_INTEGER;
const MIN = -MAX;
const BIG_MAX = BigInt(MAX);
const END = 1n << 96n;
const SIGN = 1n << 63n;
const LOW = (1n << 64n) - 1n;
const HIGH = (1n << 32n) - 1n;
const POWERS = Array.from({ length: 64 }, (_, power) => 10n ** BigInt(power));
// The same as Numbers. Those past 10^22 are rounded, but then only the product with zero is below 2^53.
const TENS = POWERS.slice(0, SCALE_MAX + 1).map(Number);
// Up to this one, twice a remainder is below 2^53.
const ROUNDED_TENS = 15;
const TEXT = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;
const TOO_LONG = "a result has more digits than an exact decimal can hold (28 after the point)";

export class Decimal {
  // `small` is NaN where the integer is a `big` one: whatever is computed with it is NaN as well, which is below nothing.
  constructor(small, scale) {
    this.small = small;
    this.scale = scale;
  }

  static ZERO = new Decimal(0, 0);
  static ONE = new Decimal(1, 0);

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
    return made(sign === "" ? coefficient : -coefficient, fraction.length);
  }

  // The contract's two words, which the host promises to be canonical.
  static fromWords(low, high) {
    const coefficient = low | ((high & HIGH) << 64n);
    return made((high & SIGN) === 0n ? coefficient : -coefficient, Number((high >> 32n) & 0xffn));
  }

  // Appends the contract's two words.
  toWords(words) {
    const coefficient = bigOf(this);
    const magnitude = coefficient < 0n ? -coefficient : coefficient;
    const sign = coefficient < 0n ? SIGN : 0n;
    words.push(magnitude & LOW, (magnitude >> 64n) | (BigInt(this.scale) << 32n) | sign);
  }

  get isZero() {
    return this.small === 0;
  }

  get isNegative() {
    return this.small < 0 || this.big < 0n;
  }

  // The arithmetic below is written out, for in an engine without a compiler each call costs more than a sum does.
  plus(other) {
    let left = this.small;
    let right = other.small;
    let scale = this.scale;
    if (scale < other.scale) {
      left *= TENS[other.scale - scale];
      scale = other.scale;
    } else if (scale !== other.scale) {
      right *= TENS[scale - other.scale];
    }
    const sum = left + right;
    if (sum <= MAX && sum >= MIN && left <= MAX && left >= MIN && right <= MAX && right >= MIN) {
      return scale === 0 && sum >= 0 && sum < WHOLES_END ? WHOLES[sum | 0] : new Decimal(sum, scale);
    }
    return fit(bigAt(this, scale) + bigAt(other, scale), scale);
  }

  minus(other) {
    let left = this.small;
    let right = other.small;
    let scale = this.scale;
    if (scale < other.scale) {
      left *= TENS[other.scale - scale];
      scale = other.scale;
    } else if (scale !== other.scale) {
      right *= TENS[scale - other.scale];
    }
    const difference = left - right;
    if (difference <= MAX && difference >= MIN && left <= MAX && left >= MIN && right <= MAX && right >= MIN) {
      return scale === 0 && difference >= 0 && difference < WHOLES_END ? WHOLES[difference | 0] : new Decimal(difference, scale);
    }
    return fit(bigAt(this, scale) - bigAt(other, scale), scale);
  }

  times(other) {
    // Zero is added so that no product is -0.
    const product = this.small * other.small + 0;
    const scale = this.scale + other.scale;
    return product <= MAX && product >= MIN && scale <= SCALE_MAX
      ? new Decimal(product, scale)
      : fit(bigOf(this) * bigOf(other), scale);
  }

  beyond(limit) {
    let left = this.small;
    let right = limit.small;
    let scale = this.scale;
    if (scale < limit.scale) {
      left *= TENS[limit.scale - scale];
      scale = limit.scale;
    } else if (scale !== limit.scale) {
      right *= TENS[scale - limit.scale];
    }
    if (!(left <= MAX && left >= MIN && right <= MAX && right >= 0)) {
      return this.compare(limit) <= 0 ? Decimal.ZERO : this.minus(limit);
    }
    const difference = left - right;
    if (difference <= 0) {
      return Decimal.ZERO;
    }
    return scale === 0 && difference < WHOLES_END ? WHOLES[difference | 0] : new Decimal(difference, scale);
  }

  negated() {
    return Decimal.ZERO.minus(this);
  }

  compare(other) {
    let left = this.small;
    let right = other.small;
    if (this.scale < other.scale) {
      left *= TENS[other.scale - this.scale];
    } else if (this.scale !== other.scale) {
      right *= TENS[this.scale - other.scale];
    }
    if (left <= MAX && left >= MIN && right <= MAX && right >= MIN) {
      return left < right ? -1 : left > right ? 1 : 0;
    }
    return compareBig(this, other);
  }

  equals(other) {
    return this.compare(other) === 0;
  }

  min(other) {
    if (this.scale === other.scale && this.small <= other.small) {
      return this;
    }
    return other.compare(this) < 0 ? other : this;
  }

  max(other) {
    if (this.scale === other.scale && this.small >= other.small) {
      return this;
    }
    return other.compare(this) > 0 ? other : this;
  }

  rounded(places) {
    const excess = this.scale - places;
    if (excess <= 0) {
      return this;
    }
    const { small } = this;
    if (excess > ROUNDED_TENS || small !== small) {
      return made(halfEven(bigOf(this), POWERS[excess]), places);
    }
    const divisor = TENS[excess];
    // Both the remainder and what is left without it are exact, and so is a quotient without remainder.
    const rest = small % divisor;
    const quotient = (small - rest) / divisor;
    const twice = 2 * Math.abs(rest);
    const away = twice > divisor || (twice === divisor && quotient % 2 !== 0);
    return new Decimal(away ? quotient + (small < 0 ? -1 : 1) : quotient + 0, places);
  }

  roundedToNano() {
    return this.scale <= NANO_PLACES ? this : this.rounded(NANO_PLACES);
  }

  dividedByRounded(divisor, places) {
    if (divisor.isZero) {
      throw new Fault(`${this} cannot be divided by zero`);
    }
    const numerator = bigOf(this) * 10n ** BigInt(places + divisor.scale);
    const denominator = bigOf(divisor) * 10n ** BigInt(this.scale);
    const quotient = denominator < 0n ? halfEven(-numerator, -denominator) : halfEven(numerator, denominator);
    return fit(quotient, places);
  }

  shortest() {
    let coefficient = bigOf(this);
    let { scale } = this;
    while (scale > 0 && coefficient % 10n === 0n) {
      coefficient /= 10n;
      scale -= 1;
    }
    return made(coefficient, scale);
  }

  toString() {
    const coefficient = bigOf(this);
    const negative = coefficient < 0n;
    const digits = (negative ? -coefficient : coefficient).toString().padStart(this.scale + 1, "0");
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

// What all the others have, so that a small decimal is made of two fields.
Decimal.prototype.big = undefined;

// A decimal that is written in the source: decimal("0.05").
export function decimal(text) {
  return Decimal.parse(text);
}

// Most counters and quantities are small whole numbers: each of those is made once.
export const WHOLES_END = 1024;
export const WHOLES = Array.from({ length: WHOLES_END }, (_, small) => new Decimal(small, 0));

// The integer, whichever it is. Anything but a decimal has none, and BigInt throws.
function bigOf(decimal) {
  return decimal.big === undefined ? BigInt(decimal.small) : decimal.big;
}

// The same as if the decimal had so many more places.
function bigAt(decimal, scale) {
  return bigOf(decimal) * POWERS[scale - decimal.scale];
}

function compareBig(left, right) {
  const scale = Math.max(left.scale, right.scale);
  const [a, b] = [bigAt(left, scale), bigAt(right, scale)];
  return a < b ? -1 : a > b ? 1 : 0;
}

// A decimal whose integer is in the form that its size calls for.
function made(coefficient, scale) {
  if (coefficient <= BIG_MAX && coefficient >= -BIG_MAX) {
    return new Decimal(Number(coefficient), scale);
  }
  const decimal = new Decimal(NaN, scale);
  decimal.big = coefficient;
  return decimal;
}

// Brings a result into range: exactly, or not at all.
function fit(coefficient, scale) {
  while (scale > SCALE_MAX || coefficient >= END || coefficient <= -END) {
    if (scale === 0 || coefficient % 10n !== 0n) {
      throw new Fault(TOO_LONG);
    }
    coefficient /= 10n;
    scale -= 1;
  }
  return made(coefficient, scale);
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
