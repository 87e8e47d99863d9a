// docs/node-red.md: each node type and property of Node-RED, and how Flowrill takes it.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

import { known, manifests, namesOf, root } from "./cases.mjs";

/** Properties that any node may have; the rest of the engine takes care of them. */
const COMMON = new Set(["name", "info", "outputLabels", "inputLabels", "icon"]);

/** What Node-RED's own editor registers: `{type: {properties, credentials, file}}`. */
function registered(nodeRed) {
  const core = join(nodeRed, "node_modules/@node-red/nodes/core");
  const found = {};
  const files = readdirSync(core, { recursive: true }).filter(name => name.endsWith(".html")).sort();
  for (const file of files) {
    // The definitions are objects in a script of the editor; anything else it calls answers with itself.
    const anything = new Proxy(function () {}, {
      get: (_target, key) => (key === Symbol.toPrimitive ? () => "" : anything),
      apply: () => anything,
      construct: () => anything,
    });
    const registerType = (type, { defaults = {}, credentials = {}, category }) => {
      found[type] = { properties: Object.keys(defaults), credentials: Object.keys(credentials), category };
    };
    const nodes = new Proxy({ registerType }, { get: (own, key) => own[key] ?? anything });
    const RED = new Proxy({ nodes }, { get: (own, key) => own[key] ?? anything });
    const html = readFileSync(join(core, file), "utf8");
    for (const [, code] of html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)) {
      vm.runInNewContext(code, { RED, $: anything, jQuery: anything, window: {}, document: anything, console, setTimeout() {} });
    }
  }
  return found;
}

/**
 * Properties that only the editor reads: both runtimes have to give them back as they came.
 * Returns those that did, as `{type: Set}`.
 */
export async function keptProperties(ours, theirs) {
  const flows = [{ id: "tab1", type: "tab" }];
  for (const [type, names] of Object.entries(known.editor)) {
    const node = { id: `kept-${type}`, type, z: "tab1", x: 1, y: 1, wires: [] };
    for (const name of Object.keys(names)) node[name] = `${name} is kept`;
    flows.push(node);
  }
  const kept = {};
  const sides = [];
  for (const runtime of [ours, theirs]) {
    await runtime.deploy(flows);
    sides.push(await runtime.getFlows());
    await runtime.deploy([]);
  }
  for (const [type, names] of Object.entries(known.editor)) {
    const nodes = sides.map(side => side.find(({ id }) => id === `kept-${type}`));
    const same = Object.keys(names).filter(name => nodes.every(node => node?.[name] === `${name} is kept`));
    kept[type] = new Set(same);
  }
  return kept;
}

/** Writes the document from the cases that were equal. */
export function writeDocument(nodeRed, version, proofs, kept) {
  const ours = new Map(manifests().map(manifest => [manifest.type, manifest]));
  const proven = {};
  for (const { proves } of proofs) {
    for (const [type, names] of Object.entries(proves)) {
      for (const name of names) (proven[type] ??= new Map()).set(name, (proven[type].get(name) ?? 0) + 1);
    }
  }
  const types = Object.entries(registered(nodeRed)).sort(([one], [other]) => (one < other ? -1 : 1));
  const counts = { exact: 0, partial: 0, absent: 0 };
  const tables = types.map(([type, real]) => {
    const manifest = ours.get(type);
    if (!manifest) {
      counts.absent += 1;
      return `## ${type}\n\nabsent\n`;
    }
    const own = new Set(manifest.properties.flatMap(namesOf));
    const secrets = new Set((manifest.credentials ?? []).map(({ name }) => name));
    const rows = [
      ...real.properties.filter(name => !COMMON.has(name)).map(name => [name, own.has(name)]),
      ...real.credentials.map(name => [name, secrets.has(name)]),
    ].map(([name, present]) => {
      const [state, note] = judge(type, name, present, proven[type]?.get(name), kept[type]?.has(name));
      counts[state] += 1;
      return `| ${name} | ${state} | ${note} |`;
    });
    if (rows.length === 0) return `## ${type}\n\nIt has no properties of its own.\n`;
    return `## ${type}\n\n| property | | |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  const text = `<!-- Written by \`make compare-node-red\`; edit tests/compare instead. -->
# Flowrill beside Node-RED ${version}

${proofs.length} flows with the same messages were run in both, and what left each wire, each status and each error was compared.

- **exact**: an equal comparison uses this property.
- **partial**: what differs, and why, stands beside it.
- **absent**: Flowrill does not have it; the property is kept in the flow file all the same.

${counts.exact} properties are exact, ${counts.partial} partial, ${counts.absent} absent.

${tables.join("\n")}`;
  writeFileSync(join(root, "docs/node-red.md"), text);
}

function judge(type, name, present, comparisons, isKept) {
  const difference = known.partial[type]?.[name];
  if (difference) return [present ? "partial" : "absent", difference];
  if (comparisons) return ["exact", comparisons === 1 ? "1 comparison" : `${comparisons} comparisons`];
  const reader = known.editor[type]?.[name];
  if (reader && isKept) return ["exact", reader];
  if (!present) return ["absent", ""];
  return ["partial", "no comparison yet"];
}
