#!/usr/bin/env node
// Makes a component: `tollgate-build included-overage.js -o included-overage.wasm`. The module exports `plugin`.
//
// The component is a JavaScript engine with the plugin in it, 12 MB, and imports nothing but the contract's `log`: every
// feature of the engine that would need WASI is turned off. With `--aot` the plugin is compiled ahead of time by weval,
// which npm's package of that name fetches from GitHub; `--weval` names one that is here (`cargo install weval`).

import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const SDK = dirname(dirname(fileURLToPath(import.meta.url)));
const LOG = "tollgate:pricing/log@0.1.0";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string", short: "o", default: "plugin.wasm" },
    wit: { type: "string" },
    aot: { type: "boolean" },
    weval: { type: "string" },
  },
});
if (positionals.length !== 1) {
  console.error("usage: tollgate-build MODULE [-o plugin.wasm] [--wit FOLDER] [--aot [--weval PROGRAM]]");
  process.exit(2);
}
const module = resolve(positionals[0]);
const entry = `
import { write } from ${JSON.stringify(LOG)};
import { component } from ${JSON.stringify(join(SDK, "src/component.js"))};
import { plugin as author } from ${JSON.stringify(module)};
export const plugin = component(author, write);
`;

const folder = await mkdtemp(join(tmpdir(), "tollgate-build-"));
try {
  const bundle = join(folder, "plugin.js");
  await build({
    stdin: { contents: entry, resolveDir: dirname(module) },
    outfile: bundle,
    bundle: true,
    external: [LOG],
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  const { component } = await componentize({
    sourcePath: bundle,
    witPath: resolve(values.wit ?? join(SDK, "../wit")),
    worldName: "pricing",
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
    enableAot: values.aot ?? false,
    wevalBin: values.weval,
  });
  await writeFile(values.output, component);
} finally {
  await rm(folder, { recursive: true });
}
