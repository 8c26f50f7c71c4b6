// Write a Tollgate pricing plugin in JavaScript or TypeScript.
//
// A plugin is settings, declarations and functions that see one event at a time: `meter` says which units the event is
// worth, the host counts them, and `rate` says what the event costs, given the counters around it. Everything else
// (batches, columns, string tables, the WebAssembly component) is the SDK's. Types are in `index.d.ts`.

export { cumulative } from "./counted.js";
export { Decimal, decimal } from "./decimal.js";
export { line, refusal, unit } from "./declaration.js";
export { Fault } from "./fault.js";
export { log } from "./log.js";
export { checkPeriod, closePeriod, periodTerms } from "./period.js";
export { pricing } from "./pricing.js";
export { setting } from "./settings.js";
