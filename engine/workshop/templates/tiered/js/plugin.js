// `{{name}}`: the price of a document depends on how many were used in the period.

import { Decimal, line, pricing, setting, unit } from "tollgate-sdk";

// A part of the period's documents with a price of its own.
const tier = setting.object({
  up_to: setting.optional(setting.decimal(), "The last document of the tier; null in the last tier.").default(null),
  price: setting.decimal("The price of a document in it."),
});

// What a tariff sets.
const settings = setting.object({
  tiers: setting.list(tier, "The tiers, from the first document up. The last one is open: it has no `up_to`."),
});

const DOCUMENT = unit({ name: "document" });
const DOCUMENTS = line({ code: "documents", title: "Documents by tiers", unit: DOCUMENT });

export const plugin = pricing({
  name: "{{name}}",
  version: "0.1.0",
  summary: "{{summary}}",
  settings,
  units: [DOCUMENT],
  lines: [DOCUMENTS],

  check({ tiers }, problems) {
    if (tiers.length === 0) {
      problems.add("/tiers", 'there is no tier; write at least one, such as {"price": "0.50"}');
    }
    let floor = Decimal.ZERO;
    tiers.forEach(({ up_to, price }, place) => {
      const isLast = place === tiers.length - 1;
      problems.refuseNegative(`/tiers/${place}/price`, price);
      if (up_to === null) {
        if (!isLast) problems.add(`/tiers/${place}/up_to`, "only the last tier is open; say where this ends");
      } else if (isLast) {
        problems.add(`/tiers/${place}/up_to`, `the last tier ends at ${up_to}; leave it open`);
      } else if (up_to.compare(floor) <= 0) {
        problems.add(`/tiers/${place}/up_to`, `${up_to} is not beyond ${floor}, where the tier begins`);
      } else {
        floor = up_to;
      }
    });
  },

  // Which units an event is worth. The host counts them for each customer and period.
  meter(settings, event, usage) {
    usage.add(DOCUMENT, event.measure("documents"));
  },

  // What an event costs: by how much it moved the cost of the period's total.
  rate({ tiers }, event, counted, bill) {
    const documents = counted.of(DOCUMENT);
    if (documents === undefined) return;
    const costOf = (/** @type {Decimal} */ total) => {
      let [floor, cost] = [Decimal.ZERO, Decimal.ZERO];
      for (const { up_to, price } of tiers) {
        const ceiling = up_to === null ? total : up_to.min(total);
        cost = cost.plus(ceiling.beyond(floor).times(price));
        floor = floor.max(ceiling);
      }
      return cost;
    };
    bill.add(DOCUMENTS, { quantity: documents.grown(), amount: documents.cumulative(costOf) });
  },
});
