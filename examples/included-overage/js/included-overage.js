// `included-overage` in JavaScript: so many units a period cost nothing, each one beyond costs the same.
//
// A unit is an event, or whatever one of the event's measures counts. An event that straddles the limit is split
// exactly. Events of a premium route or feature cost something more, inside the included quantity or beyond it.

import { Decimal, checkPeriod, closePeriod, line, periodTerms, pricing, setting, unit } from "tollgate-sdk";

// What a tariff sets.
const settings = setting.object({
  unit: setting.text('What the customer sees, in the singular: "document".').default("request"),
  count: setting.text('"events", or the name of the measure whose quantities are counted.').default("events"),
  included: setting.decimal("How many units of a period cost nothing.").default("0"),
  overage_price: setting.decimal("The price of each unit beyond the included ones."),
  premium_routes: setting
    .list(setting.text(), "Routes whose events cost `premium_surcharge` in addition.")
    .default([]),
  premium_features: setting.list(setting.text(), "Features whose events do.").default([]),
  premium_surcharge: setting
    .decimal("What an event of a premium route or feature costs in addition, once.")
    .default("0"),
  period: periodTerms("The period's fee, minimum and cap."),
});

const UNIT = unit({ name: "/unit" });
// Only named, so that premium requests and fees are not called documents; their lines say how many.
const PREMIUM_REQUEST = unit({ name: "premium request" });
const PERIOD = unit({ name: "period" });

const INCLUDED = line({ code: "included", title: "Within what is included", unit: UNIT });
const OVERAGE = line({ code: "overage", title: "Beyond what is included", unit: UNIT });
const PREMIUM = line({ code: "premium", title: "Premium requests", unit: PREMIUM_REQUEST });
const FEE = line({ code: "fee", title: "Fee for the period", unit: PERIOD });
const MINIMUM = line({ code: "minimum", title: "Up to the minimum", unit: PERIOD });
const CAP = line({ code: "cap", title: "Beyond the spend cap", unit: PERIOD, kind: "credit" });

export const plugin = pricing({
  name: "included-overage-js",
  version: "0.1.0",
  summary: "Includes a number of units a period and charges each one beyond them.",
  settings,
  units: [UNIT, PREMIUM_REQUEST, PERIOD],
  lines: [INCLUDED, OVERAGE, PREMIUM, FEE, MINIMUM, CAP],

  check(settings, problems) {
    if (settings.unit === "") {
      problems.add("/unit", 'the unit has no name; write what the customer sees, such as "request"');
    }
    if (settings.count === "") {
      problems.add("/count", 'write "events", or the name of the measure to count');
    }
    problems.refuseNegative("/included", settings.included);
    problems.refuseNegative("/overage_price", settings.overage_price);
    problems.refuseNegative("/premium_surcharge", settings.premium_surcharge);
    checkPeriod(settings.period, "/period", problems);
  },

  meter(settings, event, usage) {
    usage.add(UNIT, settings.count === "events" ? Decimal.ONE : event.measure(settings.count));
  },

  rate(settings, event, counted, bill) {
    const count = counted.of(UNIT);
    if (count !== undefined) {
      const { included, overage_price: price } = settings;
      const within = count.after.min(included).minus(count.before.min(included));
      if (!within.isZero) {
        bill.add(INCLUDED, { quantity: within, amount: Decimal.ZERO });
      }
      const beyond = count.grown().minus(within);
      if (!beyond.isZero) {
        const amount = count.cumulative((total) => total.beyond(included).times(price));
        bill.add(OVERAGE, { quantity: beyond, unitPrice: price, amount });
      }
    }
    if (settings.premium_routes.includes(event.route) || settings.premium_features.includes(event.feature)) {
      const price = settings.premium_surcharge;
      bill.add(PREMIUM, { quantity: Decimal.ONE, unitPrice: price, amount: price });
    }
  },

  close(settings, customer, totals, bill) {
    closePeriod(settings.period, { fee: FEE, minimum: MINIMUM, cap: CAP }, customer.charged, bill);
  },
});
