// Columns of decimals as they cross the contract: two 64-bit words each.
//
// Both sides see a column's bytes as 32-bit halves, four for each decimal and the low one first as on WebAssembly: the
// low word's two, the high 32 bits of the coefficient, and scale and sign. A half is a Number; a word would be a BigInt.

import { Decimal, WHOLES, WHOLES_END } from "./decimal.js";

const TWO_32 = 2 ** 32;
// The second half of a coefficient that is still below 2^53.
const SMALL_HALF = 2 ** 21;
const SCALE_MAX = 28;
const HALVES = 4;

// The halves of a column that the host has sent.
export function halvesOf(words) {
  // The component's bindings have globals of their own, so their arrays are no instances of ours.
  const column = ArrayBuffer.isView(words) ? words : BigUint64Array.from(words);
  return new Uint32Array(column.buffer, column.byteOffset, 2 * column.length);
}

export function decimalAt(halves, row) {
  const place = HALVES * row;
  const second = halves[place + 1];
  const rest = halves[place + 3];
  if (second < SMALL_HALF && halves[place + 2] === 0 && rest <= SCALE_MAX) {
    // The engine takes small integers apart from other Numbers, and is slow where both come along.
    const small = second === 0 ? halves[place] : second * TWO_32 + halves[place];
    return new Decimal(small, rest);
  }
  const low = (BigInt(second) << 32n) | BigInt(halves[place]);
  return Decimal.fromWords(low, (BigInt(rest) << 32n) | BigInt(halves[place + 2]));
}

// All decimals of a column whose every row will be looked at.
export function decimalsOf(words) {
  const halves = halvesOf(words);
  const decimals = [];
  let place = 0;
  for (let row = 0; place < halves.length; row += 1) {
    const small = halves[place];
    const scale = halves[place + 3];
    if (halves[place + 1] !== 0 || halves[place + 2] !== 0 || scale > SCALE_MAX) {
      decimals[row] = decimalAt(halves, row);
    } else {
      decimals[row] = scale === 0 && small < WHOLES_END ? WHOLES[small] : new Decimal(small, scale);
    }
    place += HALVES;
  }
  return decimals;
}

// The words of a column that the plugin has filled. All at once, since each call would cost more than what it does.
export function wordsOf(decimals) {
  const halves = new Uint32Array(HALVES * decimals.length);
  const words = new BigUint64Array(halves.buffer);
  let place = 0;
  for (let row = 0; row < decimals.length; row += 1) {
    const decimal = decimals[row];
    const small = decimal.small;
    if (small >= 0) {
      halves[place] = small;
      halves[place + 3] = decimal.scale;
      if (small >= TWO_32) {
        halves[place + 1] = small / TWO_32;
      }
    } else {
      const both = [];
      decimal.toWords(both);
      words.set(both, 2 * row);
    }
    place += HALVES;
  }
  return words;
}
