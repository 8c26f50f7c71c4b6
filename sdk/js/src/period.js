// What a tariff says about a period as a whole, whatever else it charges: a fee, a minimum and a cap.
//
// Over a period, a customer is charged min(cap, max(minimum, fee + usage)).

import { Decimal } from "./decimal.js";
import { setting } from "./settings.js";

// A field of a plugin's settings, `period` by custom.
export const periodTerms = (about) =>
  setting
    .object(
      {
        fee: setting.decimal("What the period costs before anything is used.").default("0"),
        minimum: setting
          .decimal("The least that the period costs in all, the fee included; 0 for none.")
          .default("0"),
        cap: setting
          .optional(setting.decimal(), "The most that the period costs in all, the fee included; null for no limit.")
          .default(null),
      },
      about,
    )
    .default({});

// Adds whatever is wrong with them, at `pointer`.
export function checkPeriod(terms, pointer, problems) {
  problems.refuseNegative(`${pointer}/fee`, terms.fee);
  problems.refuseNegative(`${pointer}/minimum`, terms.minimum);
  const least = terms.fee.max(terms.minimum);
  if (terms.cap !== null && terms.cap.compare(least) < 0) {
    problems.add(
      `${pointer}/cap`,
      `${terms.cap} is less than the ${least} that a period costs at least; raise the cap`,
    );
  }
}

// As the period ends: charges the fee, then what is missing to the minimum, or credits what lies beyond the cap.
// `charged` is what the period has charged so far, the lines that the plugin has just added included.
export function closePeriod(terms, lines, charged, bill) {
  const total = charged.plus(terms.fee);
  // Without a minimum, a period in which more was given back than charged stays below zero.
  const missing = terms.minimum.isZero ? Decimal.ZERO : terms.minimum.beyond(total);
  const excess = terms.cap === null ? Decimal.ZERO : total.beyond(terms.cap);
  for (const [line, amount] of [
    [lines.fee, terms.fee],
    [lines.minimum, missing],
    [lines.cap, excess.negated()],
  ]) {
    if (!amount.isZero) {
      bill.add(line, { quantity: Decimal.ONE, amount });
    }
  }
}
