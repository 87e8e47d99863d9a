// The cases: every example of every node folder, and the flows in `flows/`.
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile, readFile, appendFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");
const OUTPUTS = 8;

const read = file => JSON.parse(readFileSync(file, "utf8"));

/** What is known to differ, and why. */
export const known = read(join(here, "known.json"));

/** Types that are not Node-RED's own but of packages that it can be given. */
const elsewhere = new Set(["aedes broker", "mosca in"]);

/** What the folders in `nodes/` say. */
export function manifests() {
  const folders = readdirSync(join(root, "nodes")).filter(name => existsSync(join(root, "nodes", name, "manifest.json")));
  return folders.map(folder => ({
    ...read(join(root, "nodes", folder, "manifest.json")),
    examples: read(join(root, "nodes", folder, "examples.json")),
  }));
}

/** The keys of a property in the flow file: a typed one has two. */
export function namesOf({ name, typeProperty }) {
  return typeProperty ? [name, typeProperty] : [name];
}

/** All cases: `{title, flows, steps, proves, tolerated, rules, settle}`. */
export function cases() {
  const fromExamples = manifests().filter(({ type, config }) => !config && !elsewhere.has(type)).flatMap(manifest => {
    return manifest.examples.map(example => fromExample(manifest, example));
  });
  const files = readdirSync(join(here, "flows")).filter(name => name.endsWith(".json")).sort();
  const fromFlows = files.flatMap(file => read(join(here, "flows", file)).map(flow => fromFlow(file, flow)));
  return [...fromExamples, ...fromFlows];
}

function fromExample({ type, properties }, example) {
  const config = { ...known.needs[type], ...example.config };
  const wires = Array.from({ length: OUTPUTS }, (_, output) => [`out${output + 1}`]);
  const sinks = wires.map(([id]) => ({ id, type: "helper", z: "tab1", x: 400, y: 100, wires: [] }));
  const title = `${type}: ${example.title}`;
  return {
    title,
    types: [type],
    flows: [
      { id: "tab1", type: "tab", label: "Example" },
      { id: "tested", type, z: "tab1", x: 200, y: 100, wires, ...config },
      ...sinks,
    ],
    steps: example.given.map(msg => ({ node: "tested", msg })),
    sends: { node: "tested", count: example.then.length },
    proves: { [type]: properties.flatMap(namesOf).filter(name => Object.hasOwn(example.config ?? {}, name)) },
    ...completed(known.examples[title] ?? {}),
  };
}

function fromFlow(file, flow) {
  const types = [...new Set(flow.flows.map(({ type }) => type))];
  return { ...flow, title: `${file}: ${flow.title}`, types, proves: flow.proves ?? {}, ...completed(flow) };
}

/** `differs` holds `{stream, why}` (not compared) and `{text, as, why}` (replaced in both). */
function completed({ differs = [], settle, skip }) {
  for (const entry of differs) {
    if (!entry.why) throw new Error(`A difference is tolerated without a reason: ${JSON.stringify(entry)}`);
  }
  return {
    tolerated: differs.filter(({ stream }) => stream).map(({ stream }) => stream),
    rules: differs.filter(({ text }) => text),
    settle: settle ?? 120,
    skip,
  };
}

/** Runs a case in one runtime; returns the events. */
export async function run(runtime, test) {
  const folder = join(runtime.folder, "files");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const here = value => {
    return JSON.parse(JSON.stringify(value).replaceAll("${DIR}", folder).replaceAll("${MQTT}", runtime.mqttPort));
  };
  const from = runtime.events.length;
  const told = () => runtime.events.slice(from);
  const start = Date.now();
  for (const step of test.before ?? []) await carryOut(runtime, here(step), folder, test);
  await runtime.deploy(here(test.flows), { credentials: test.credentials });
  await runtime.quiet(20);
  for (const step of test.steps ?? []) await carryOut(runtime, here(step), folder, test);
  await runtime.quiet(test.settle, () => {
    const { node, count } = test.sends ?? { count: 0 };
    return told().filter(event => event.ev === "send" && event.node === node).length >= count;
  });
  const events = told();
  // What closing does is no part of the case, unless it is asked for with a step "deploy".
  await runtime.deploy([]);
  await runtime.ask("reset");
  if (test.restore) await carryOut(runtime, test.restore, folder, test);
  // What the debug panel is told of the closing may come late, and would count for the next case.
  await runtime.quiet(60);
  runtime.events.length = 0;
  return { events, folder, start, mqttPort: runtime.mqttPort };
}

/** Whether a case needs an MQTT broker. */
export const needsBroker = test => JSON.stringify(test.flows).includes("${MQTT}");

/** One step of a case; CONTRIBUTING.md lists them. */
async function carryOut(runtime, step, folder, test) {
  const path = name => join(folder, name);
  const asked = (what, values) => runtime.events.push({ ev: "asked", what, values });
  if (step.msg !== undefined) {
    for (const node of step.nodes ?? [step.node]) await runtime.ask("receive", { node, msg: step.msg, raw: step.raw });
  }
  if (step.batch) await runtime.ask("batch", { ops: step.batch.map(one => ({ op: "receive", ...one })) });
  if (step.call) await runtime.ask("call", { node: step.node, method: step.call, args: step.args ?? [] });
  if (step.settings) await runtime.ask("settings", { values: step.settings });
  if (step.env) await runtime.ask("env", { values: step.env });
  if (step.stores) await runtime.ask("context.stores", { stores: step.stores });
  if (step.set) await runtime.ask("context.set", step.set);
  if (step.get) asked(JSON.stringify(step.get), (await runtime.ask("context.get", step.get)).values);
  if (step.keys) asked(JSON.stringify(step.keys), (await runtime.ask("context.keys", step.keys)).values);
  if (step.props) {
    const { props } = await runtime.ask("node", { node: step.props });
    asked(step.props, step.names.map(name => ({ [name]: props?.[name] ?? null })));
  }
  if (step.inject) {
    const answer = await fetch(`${runtime.base}/inject/${step.inject}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(step.body ?? {}),
    });
    asked(`inject ${step.inject}`, [answer.status]);
  }
  if (step.write) await writeFile(path(step.write), step.base64 ? Buffer.from(step.base64, "base64") : step.content.repeat(step.times ?? 1));
  if (step.append) await appendFile(path(step.append), step.content);
  if (step.mkdir) await mkdir(path(step.mkdir), { recursive: true });
  if (step.remove) await rm(path(step.remove), { recursive: true });
  if (step.rename) await rename(path(step.rename[0]), path(step.rename[1]));
  if (step.read) asked(`file ${step.read}`, [await readFile(path(step.read), "base64").catch(error => error.code)]);
  if (step.deploy) await runtime.deploy(step.deploy, { mode: step.mode, credentials: step.credentials });
  if (step.settle) await runtime.quiet(test.settle);
  if (step.wait) await new Promise(resolve => setTimeout(resolve, step.wait));
}
