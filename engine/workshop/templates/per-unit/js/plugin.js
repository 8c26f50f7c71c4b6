// `{{name}}`: each document beyond the included ones has a price.

import { line, pricing, setting, unit } from "tollgate-sdk";

// What a tariff sets.
const settings = setting.object({
  price: setting.decimal("The price of one document."),
  included: setting.decimal("How many documents of a period cost nothing.").default("0"),
});

const DOCUMENT = unit({ name: "document" });
const DOCUMENTS = line({ code: "documents", title: "Documents beyond those included", unit: DOCUMENT });

export const plugin = pricing({
  name: "{{name}}",
  version: "0.1.0",
  summary: "{{summary}}",
  settings,
  units: [DOCUMENT],
  lines: [DOCUMENTS],

  check(settings, problems) {
    problems.refuseNegative("/price", settings.price);
    problems.refuseNegative("/included", settings.included);
  },

  // Which units an event is worth. The host counts them for each customer and period.
  meter(settings, event, usage) {
    usage.add(DOCUMENT, event.measure("documents"));
  },

  // What an event costs, given the counter before and after it.
  rate(settings, event, counted, bill) {
    const documents = counted.of(DOCUMENT);
    if (documents === undefined) return;
    const quantity = documents.cumulative((total) => total.beyond(settings.included));
    if (quantity.isZero) return;
    const amount = documents.cumulative((total) => total.beyond(settings.included).times(settings.price));
    bill.add(DOCUMENTS, { quantity, unitPrice: settings.price, amount });
  },
});
