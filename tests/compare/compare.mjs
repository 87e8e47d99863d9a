// Runs the same flows in Flowrill and in Node-RED, sends both the same messages, and compares what comes out.
// node tests/compare/compare.mjs [--only <part of a title or a type>] [--verbose] [--write-docs]
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { cases, needsBroker, root, run } from "./cases.mjs";
import { keptProperties, writeDocument } from "./document.mjs";
import { hasMosquitto, startMosquitto } from "./mosquitto.mjs";
import { difference, streams } from "./normalise.mjs";
import { freePort, startFlowrill, startNodeRed } from "./runtimes.mjs";

const { values: options } = parseArgs({
  options: { only: { type: "string" }, verbose: { type: "boolean" }, "write-docs": { type: "boolean" } },
});
const binary = resolve(process.env.FLOWRILL ?? join(root, "target/debug/flowrill"));
const nodeRed = resolve(process.env.NODE_RED ?? join(root, "target/node-red"));

for (const [file, what] of [
  [binary, "Flowrill is not built: cargo build, or FLOWRILL=<binary>"],
  [join(nodeRed, "node_modules/node-red/red.js"), "Node-RED is not there: make compare-node-red, or NODE_RED=<folder>"],
]) {
  if (!existsSync(file)) {
    console.error(`${what} (looked for ${file})`);
    process.exit(2);
  }
}

const all = cases();
const chosen = all.filter(({ title, types }) => {
  return !options.only || types.includes(options.only) || title.toLowerCase().includes(options.only.toLowerCase());
});
const folder = mkdtempSync(join(tmpdir(), "compare-node-red-"));
if (!hasMosquitto()) {
  const left = chosen.filter(needsBroker);
  left.forEach(test => { test.skip = true; });
  if (left.length > 0) console.log(`left out: ${left.length} cases need mosquitto, which is not installed`);
}
const brokers = await startBrokers();
let [ours, theirs] = await start();
const failed = [];
let hasLimit = false;
try {
  for (const test of chosen) {
    if (test.skip) continue;
    await freshForLimits(test);
    const problem = await compare(test);
    if (problem) failed.push(test);
    if (problem || options.verbose) console.log(`${problem ? "DIFFERENT" : "equal    "}  ${test.title}`);
    if (problem) console.log(problem);
  }
  if (options["write-docs"] && !options.only) {
    const proofs = chosen.filter(test => !test.skip && !failed.includes(test));
    const { version } = await theirs.ask("hello");
    writeDocument(nodeRed, version, proofs, await keptProperties(ours, theirs));
  }
} finally {
  await Promise.all([ours.stop(), theirs.stop()]);
  brokers.forEach(({ stop }) => stop());
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${chosen.length - failed.length} of ${chosen.length} cases are equal`);
process.exit(failed.length === 0 ? 0 : 1);

/** An MQTT broker for each of the two, if a case needs one. */
async function startBrokers() {
  if (!chosen.some(test => !test.skip && needsBroker(test))) return [];
  return Promise.all(["flowrill", "node-red"].map(async name => {
    const port = await freePort();
    return { port, stop: await startMosquitto(join(folder, `mosquitto-${name}`), port) };
  }));
}

/** Starts both, each in a new folder. */
async function start() {
  const place = mkdtempSync(join(folder, "run-"));
  const both = await Promise.all([
    startFlowrill(binary, join(place, "flowrill"), nodeRed),
    startNodeRed(nodeRed, join(place, "node-red")),
  ]);
  both.forEach((runtime, index) => { runtime.mqttPort = brokers[index]?.port; });
  return both;
}

/** Some of Node-RED's nodes keep this setting as they first found it, so such a case has two runtimes to itself. */
async function freshForLimits(test) {
  const had = hasLimit;
  hasLimit = JSON.stringify(test).includes("nodeMessageBufferMaxLength");
  if (had || hasLimit) await startAnew();
}

async function startAnew() {
  await Promise.all([ours.stop(), theirs.stop()]);
  [ours, theirs] = await start();
}

/** Null if both did the same, else what differs. */
async function compare(test) {
  const results = await Promise.allSettled([run(ours, test), run(theirs, test)]);
  const broken = results.find(({ status }) => status === "rejected");
  if (broken) {
    // One of them may be gone, or busy without end.
    await startAnew();
    return `  ${broken.reason.message}`;
  }
  const given = JSON.stringify(test);
  const [flowrill, real] = results.map(({ value: { events, folder, start, mqttPort } }) => {
    return streams(events, { given, folder, start, mqttPort, rules: test.rules });
  });
  const found = difference(flowrill, real, test.tolerated);
  if (!found) return null;
  const show = value => (value === undefined ? "(nothing)" : JSON.stringify(value));
  const lines = [
    `  ${found.stream}, number ${found.place + 1}, at ${found.where}`,
    `    Flowrill  ${show(found.flowrill)}`,
    `    Node-RED  ${show(found.nodeRed)}`,
  ];
  if (options.verbose) {
    for (const [name, side] of [["Flowrill", flowrill], ["Node-RED", real]]) {
      for (const [stream, events] of side) {
        for (const event of events) lines.push(`      ${name}  ${stream}  ${show(event)}`);
      }
    }
  }
  return lines.join("\n");
}
