// `{{name}}`: each conversation is charged once, however many events it takes.

import { Fault, line, pricing, setting, unit } from "tollgate-sdk";

// What a tariff sets.
const settings = setting.object({
  attribute: setting
    .text("The attribute of an event that says which conversation it belongs to.")
    .default("conversation"),
  price: setting.decimal("The price of one conversation."),
});

const CONVERSATION = unit({ name: "conversation", aggregation: "distinct" });
const CONVERSATIONS = line({ code: "conversations", title: "Conversations", unit: CONVERSATION });

export const plugin = pricing({
  name: "{{name}}",
  version: "0.1.0",
  summary: "{{summary}}",
  settings,
  units: [CONVERSATION],
  lines: [CONVERSATIONS],

  check(settings, problems) {
    if (settings.attribute === "") {
      problems.add("/attribute", "write the name of the attribute that tells conversations apart");
    }
    problems.refuseNegative("/price", settings.price);
  },

  // Which conversation an event belongs to. The host counts each once for a customer and period.
  meter(settings, event, usage) {
    const conversation = event.attribute(settings.attribute);
    if (conversation === "") {
      throw new Fault(`the event has no attribute \`${settings.attribute}\`; send it with each event`);
    }
    usage.addDistinct(CONVERSATION, conversation);
  },

  // What an event costs: the price, if it moved the counter.
  rate(settings, event, counted, bill) {
    const conversations = counted.of(CONVERSATION);
    if (conversations === undefined || conversations.grown().isZero) return;
    const amount = conversations.cumulative((total) => total.times(settings.price));
    bill.add(CONVERSATIONS, { quantity: conversations.grown(), unitPrice: settings.price, amount });
  },
});
