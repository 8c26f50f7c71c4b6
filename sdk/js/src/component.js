// What stands between an author's plugin and the component's exports; see `bin/build.js`.

import { writeLogTo } from "./log.js";

// The exports of a plugin. A typed array crosses the boundary in one piece, a plain one element by element, which would
// take longer than the pricing; decimals are in typed ones already.
export function component(plugin, write) {
  writeLogTo(write);
  const rated = (answer) => ({
    ...answer,
    counts: new Uint32Array(answer.counts),
    lines: new Uint32Array(answer.lines),
  });
  return {
    describe: () => plugin.describe(),
    check: (settings) => plugin.check(settings),
    meter(settings, frame) {
      const answer = plugin.meter(settings, frame);
      return {
        ...answer,
        counts: new Uint32Array(answer.counts),
        units: new Uint32Array(answer.units),
        keys: new Uint32Array(answer.keys),
      };
    },
    rate: (settings, frame, counted) => rated(plugin.rate(settings, frame, counted)),
    close: (settings, frame, totals) => rated(plugin.close(settings, frame, totals)),
  };
}
