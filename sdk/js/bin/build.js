#!/usr/bin/env node
// Makes a component: `tollgate-build included-overage.js -o included-overage.wasm`. The module exports `plugin`.
//
// The component is a JavaScript engine with the plugin in it, 12 MB, and imports nothing but the contract's `log`: every
// feature of the engine that would need WASI is turned off. With `--stamp FILE`, a component that was made of the same
// sources by the same tools is left as it is. With `--aot` the plugin is compiled ahead of time by weval, which npm's
// package of that name fetches from GitHub; `--weval` names one that is here (`cargo install weval`). Prints which tool
// it is built by.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { builtinModules, createRequire, SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const SDK = dirname(dirname(fileURLToPath(import.meta.url)));
const LOG = "tollgate:pricing/log@0.1.0";
// The exit code when esbuild or componentize-js is not installed.
const NO_TOOL = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string", short: "o", default: "plugin.wasm" },
    stamp: { type: "string" },
    wit: { type: "string" },
    aot: { type: "boolean" },
    weval: { type: "string" },
  },
});
if (positionals.length !== 1) {
  console.error("usage: tollgate-build MODULE [-o plugin.wasm] [--stamp FILE] [--wit FOLDER] [--aot [--weval PROGRAM]]");
  process.exit(2);
}
const module = resolve(positionals[0]);
const wit = resolve(values.wit ?? join(SDK, "../wit"));
const entry = `
import ${JSON.stringify(join(SDK, "src/pure.js"))};
import { write } from ${JSON.stringify(LOG)};
import { component } from ${JSON.stringify(join(SDK, "src/component.js"))};
import { plugin as author } from ${JSON.stringify(`./${basename(module)}`)};
export const plugin = component(author, write);
`;

// A plugin has no files, no network and no clock, under whatever name it asks for them.
const pure = {
  name: "pure",
  setup(building) {
    building.onResolve({ filter: /^[a-z_]+(:|\/|$)/ }, ({ path }) => {
      if (path.startsWith("node:") || builtinModules.includes(path)) {
        const text = `A plugin cannot import "${path}": it has no files, network or clock. An event's price comes from the event, the settings and the counters alone.`;
        return { errors: [{ text }] };
      }
    });
  },
};

const require = createRequire(import.meta.url);
let tools;
try {
  tools = ["esbuild", "@bytecodealliance/componentize-js"].map((name) => `${name.split("/").pop()} ${versionOf(name)}`);
} catch {
  console.error("esbuild and componentize-js are not installed: npm install");
  process.exit(NO_TOOL);
}
const folder = await mkdtemp(join(tmpdir(), "tollgate-build-"));
try {
  await make(join(folder, "bundle.js"));
  console.log(tools.at(-1));
} catch (error) {
  // What esbuild finds wrong it has told already, with the lines.
  if (error.errors === undefined) console.error(ownWords(String(error?.message ?? error)));
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}

async function make(bundle) {
  const { build } = await import("esbuild");
  await build({
    stdin: { contents: entry, resolveDir: dirname(module) },
    outfile: bundle,
    sourcemap: "external",
    bundle: true,
    external: [LOG],
    format: "esm",
    target: "es2022",
    logLevel: "warning",
    logOverride: { "import-is-undefined": "error" },
    plugins: [pure],
  });
  const code = readFileSync(bundle, "utf8");
  await writeFile(bundle, code.replace("%PLACES%", () => JSON.stringify(JSON.stringify(places(code, bundle))).slice(1, -1)));
  const stamp = await digest(bundle);
  const made = values.stamp && existsSync(values.output) && existsSync(values.stamp) && readFileSync(values.stamp, "utf8");
  if (made === stamp) return;
  const { componentize } = await import("@bytecodealliance/componentize-js");
  const { component } = await componentize({
    sourcePath: bundle,
    witPath: wit,
    worldName: "pricing",
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
    enableAot: values.aot ?? false,
    wevalBin: values.weval,
  });
  await writeFile(values.output, component);
  if (values.stamp) await writeFile(values.stamp, stamp);
}

// Which lines of the bundle are which of the author's; see `src/places.js`.
function places(code, bundle) {
  const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, "utf8")));
  const [files, runs] = [[], []];
  code.split("\n").forEach((text, line) => {
    const { generatedLine, originalSource, originalLine } = map.findEntry(line, text.search(/\S|$/));
    if (generatedLine !== line) return;
    const path = resolve(dirname(bundle), originalSource);
    const isAuthors = existsSync(path) && !path.startsWith(join(SDK, "src"));
    const name = relative(process.cwd(), path);
    if (isAuthors && !files.includes(name)) files.push(name);
    const place = [line + 1, isAuthors ? files.indexOf(name) : -1, isAuthors ? originalLine + 1 : 0];
    const last = runs.at(-1) ?? [0, -2, 0];
    if (place[1] !== last[1] || (isAuthors && place[2] - last[2] !== place[0] - last[0])) runs.push(place);
  });
  return { files, runs };
}

// Of a plugin that cannot be loaded, what the engine says of it, without the tool's own frames.
function ownWords(message) {
  return message.match(/^bundle\.js:\d+:\d+ (.*)$/m)?.[1] ?? message;
}

// Of all that the component is made of and by.
async function digest(bundle) {
  const hash = createHash("sha256").update(JSON.stringify([tools, values.aot ?? false])).update(readFileSync(bundle));
  for (const name of (await readdir(wit)).sort()) hash.update(readFileSync(join(wit, name)));
  return hash.digest("hex");
}

// A package need not export its own description, so that is looked for beside it.
function versionOf(name) {
  for (const place of require.resolve.paths(name)) {
    const manifest = join(place, name, "package.json");
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, "utf8")).version;
  }
  throw new Error(`${name} is not installed`);
}
