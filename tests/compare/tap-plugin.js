// Gives Node-RED the part of Flowrill's `/tap` that comparing needs: messages into nodes, every message on every wire,
// statuses, errors, and what a node is configured with. It listens on FLOWRILL_TAP_PORT of this computer only.
"use strict";

const http = require("node:http");
const { encode, decode } = require("./wire.js");

const METRIC = 99;

const core = name => require.main.require(`@node-red/${name}`);

module.exports = function (RED) {
  const clients = new Set();
  let seq = 0;

  function tell(ev, fields) {
    seq += 1;
    const frame = JSON.stringify({ ev, seq, ...fields });
    for (const client of clients) client.send(frame);
  }

  function helper(config) {
    RED.nodes.createNode(this, config);
    this.on("input", function (_msg) {});
  }
  RED.nodes.registerType("helper", helper);

  watchMessages(RED, tell);
  watchReports(tell);
  RED.events.on("flows:started", () => tell("flows", { state: "started" }));

  const { Server } = require.main.require("ws");
  const server = http.createServer();
  new Server({ server, path: "/tap", maxPayload: 256 * 1024 * 1024 }).on("connection", client => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    client.on("message", text => answer(RED, client, JSON.parse(text)));
  });
  server.listen(Number(process.env.FLOWRILL_TAP_PORT), "127.0.0.1");
};

function watchMessages(RED, tell) {
  RED.hooks.add("onReceive.tap", event => {
    tell("input", { node: event.destination.id, msg: encode(event.msg) });
  });
  RED.hooks.add("preDeliver.tap", event => {
    const { source, destination } = event;
    tell("send", { node: source.id, port: source.port, to: destination.id, msg: encode(event.msg) });
  });
  RED.hooks.add("onComplete.tap", event => {
    const done = { node: event.node.id, msgid: event.msg?._msgid };
    if (event.error !== undefined && event.error !== null) done.error = encode(event.error);
    tell("done", done);
  });
}

/** What a node says of itself, and the log. */
function watchReports(tell) {
  const Node = core("runtime/lib/nodes/Node.js");
  for (const method of ["status", "error", "warn", "log", "debug", "trace"]) {
    const original = Node.prototype[method];
    Node.prototype[method] = function (...args) {
      tell("call", { node: this.id, method, args: args.map(arg => encode(arg)) });
      return original.apply(this, args);
    };
  }
  // The settings file calls this, before other handlers that change the record.
  global.flowrillTap = record => {
    if (record.level < METRIC) tell("log", { rec: { ...record, msg: encode(record.msg) } });
  };
}

async function answer(RED, client, request) {
  let members;
  try {
    members = await carryOut(RED, request);
  } catch (error) {
    members = { error: encode(error) };
  }
  if (request.id !== undefined) client.send(JSON.stringify({ re: request.id, ...members }));
}

function nodeOf(RED, request) {
  const node = RED.nodes.getNode(request.node);
  if (!node) throw new Error(`No node ${request.node} runs`);
  return node;
}

/** One operation; synchronous up to its end wherever the operation is, so that those of a batch follow each other. */
function carryOut(RED, request) {
  switch (request.op) {
    case "hello":
      return { contract: 1, name: "Node-RED", version: RED.version() };
    case "batch":
      for (const op of request.ops) carryOut(RED, op);
      return {};
    case "receive": {
      const msg = decode(request.msg);
      const node = nodeOf(RED, request);
      if (request.raw) node.emit("input", msg);
      else node.receive(msg);
      return {};
    }
    case "call":
      return call(nodeOf(RED, request), request);
    case "node": {
      const node = RED.nodes.getNode(request.node);
      return { props: node ? properties(node) : null };
    }
    case "context.get":
    case "context.set":
    case "context.keys":
      return contextOperation(RED, request);
    case "context.stores":
      return replaceStores(request.stores);
    case "reset":
      return replaceStores(null);
    case "settings":
      // The settings file names all that nodes read, so that each can be changed while running.
      Object.assign(userSettings(), decode(request.values));
      return {};
    case "env":
      for (const [name, value] of Object.entries(request.values)) {
        if (value === null) delete process.env[name];
        else process.env[name] = value;
      }
      return {};
    default:
      throw new Error(`unknown op ${request.op}`);
  }
}

/** The object that the settings file exports, which Node-RED reads through. */
function userSettings() {
  return require(process.env.FLOWRILL_SETTINGS_FILE);
}

async function call(node, { method, args = [] }) {
  if (method === "close") await node.close(false);
  else node[method](...args.map(decode));
  return {};
}

function properties(node) {
  const props = {};
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (key.startsWith("_") || key === "credentials" || typeof value === "function") continue;
    try {
      props[key] = JSON.parse(JSON.stringify(encode(value)));
    } catch {
      // An object of the program, too deep to be a setting.
    }
  }
  return props;
}

async function contextOperation(RED, { op, node, scope, key, store, value }) {
  const found = RED.nodes.getNode(node);
  const context =
    scope === "global" ? core("runtime/lib/nodes/context").get("global")
    : scope === "flow" ? found.context().flow
    : found.context();
  const names = Array.isArray(key) ? key : [key];
  const wait = run => new Promise((resolve, reject) => {
    run((error, ...values) => (error ? reject(error) : resolve(values)));
  });
  if (op === "context.set") {
    await wait(done => context.set(key, decode(value), store, done));
    return {};
  }
  const values = op === "context.keys"
    ? await wait(done => context.keys(store, done))
    : await wait(done => context.get(names, store, done));
  return { values: values.map(found => encode(found)) };
}

async function replaceStores(stores) {
  const contexts = core("runtime/lib/nodes/context");
  await contexts.close();
  const settings = userSettings();
  settings.contextStorage = stores ?? undefined;
  contexts.init(settings);
  await contexts.load();
  return {};
}
