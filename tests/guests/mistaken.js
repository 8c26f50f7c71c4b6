// A plugin that makes one mistake, whichever its settings name: for the messages that authors get.

import { decimal, line, pricing, setting, unit } from "tollgate-sdk";

const DOCUMENT = unit({ name: "document" });
const DOCUMENTS = line({ code: "documents", title: "Documents", unit: DOCUMENT });
// Declared, and forgotten below.
const PAGE = unit({ name: "page" });

let seen = 0;

const MISTAKES = {
  // A Number where a Decimal belongs.
  number: () => ({ amount: 0.25 }),
  // Decimals added by the operators of JavaScript.
  operator: ({ price }) => ({ amount: price + price }),
  // Whatever is thrown that is no Fault.
  thrown: () => {
    throw new Error("no price for so many documents");
  },
  // A function of a value that is not there.
  undefined: ({ prices }) => ({ amount: prices.first }),
  // The network.
  fetch: () => ({ amount: fetch("https://example.com/price") }),
  // The clock.
  clock: () => ({ amount: decimal(String(Date.now() % 7)) }),
  // Chance.
  random: () => ({ amount: decimal(String(Math.random())) }),
  // State between calls.
  state: ({ price }) => {
    seen += 1;
    return { amount: price.times(decimal(String(seen))) };
  },
};

export const plugin = pricing({
  name: "mistaken-js",
  version: "0.1.0",
  summary: "Makes one mistake.",
  settings: setting.object({ price: setting.decimal(), mistake: setting.text() }),
  units: [DOCUMENT],
  lines: [DOCUMENTS],

  meter(settings, event, usage) {
    usage.add(settings.mistake === "unit" ? PAGE : DOCUMENT, event.measure("documents"));
  },

  rate(settings, event, counted, bill) {
    const documents = counted.of(DOCUMENT);
    if (documents === undefined) return;
    const wrong = MISTAKES[settings.mistake]?.(settings) ?? { amount: settings.price };
    bill.add(DOCUMENTS, { quantity: documents.grown(), ...wrong });
  },
});
