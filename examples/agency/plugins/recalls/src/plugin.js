// `recalls`, for Smile Dental alone: the assistant calls patients whose check-up is due. The practice pays for results:
// a booked appointment has a price, and calls that led to none cost little, up to so many a month.

import { Decimal, Fault, line, pricing, setting, unit } from "tollgate-sdk";

// What the client agreed to.
const settings = setting.object({
  booked_price: setting.decimal("The price of an appointment that was booked."),
  call_price: setting.decimal("The price of a call that led to none."),
  calls_charged: setting.decimal("How many such calls of a month are charged; further ones cost nothing."),
});

const APPOINTMENT = unit({ name: "appointment" });
const CALL = unit({ name: "call" });
const BOOKED = line({ code: "booked", title: "Appointments booked", unit: APPOINTMENT });
const CALLS = line({ code: "calls", title: "Calls without an appointment", unit: CALL });

export const plugin = pricing({
  name: "recalls",
  version: "0.1.0",
  summary: "Charges booked appointments, and calls without one up to so many a month.",
  settings,
  units: [APPOINTMENT, CALL],
  lines: [BOOKED, CALLS],

  check(settings, problems) {
    problems.refuseNegative("/booked_price", settings.booked_price);
    problems.refuseNegative("/call_price", settings.call_price);
    problems.refuseNegative("/calls_charged", settings.calls_charged);
  },

  meter(settings, event, usage) {
    const outcome = event.attribute("outcome");
    if (outcome === "") throw new Fault("the event has no attribute `outcome`; send what came of each call");
    usage.add(outcome === "booked" ? APPOINTMENT : CALL, Decimal.ONE);
  },

  rate(settings, event, counted, bill) {
    const appointments = counted.of(APPOINTMENT);
    if (appointments !== undefined) {
      const price = settings.booked_price;
      const amount = appointments.cumulative((total) => total.times(price));
      bill.add(BOOKED, { quantity: appointments.grown(), unitPrice: price, amount });
    }
    const calls = counted.of(CALL);
    if (calls !== undefined) {
      const [price, most] = [settings.call_price, settings.calls_charged];
      const quantity = calls.after.min(most).minus(calls.before.min(most));
      const amount = calls.cumulative((total) => total.min(most).times(price));
      if (!quantity.isZero) bill.add(CALLS, { quantity, unitPrice: price, amount });
    }
  },
});
