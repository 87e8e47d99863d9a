// The JavaScript half of the script layer: one per context. `host` is the native half, `kit` the table through which
// native code reaches these functions (its indices stand in realm.rs). Every call to the host names its node by index.
(function (host, kit, virtualClock) {
  "use strict";
  const nodes = [];
  const calls = [];
  const functions = [];
  const free = [];
  const handed = new Map();
  const holders = new WeakMap();
  const NativeDate = Date;
  const toText = Object.prototype.toString;
  const promisified = Symbol.for("nodejs.util.promisify.custom");
  const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const typed = Object.getPrototypeOf(Uint8Array);
  const kindOfTyped = Object.getOwnPropertyDescriptor(typed.prototype, Symbol.toStringTag).get;

  const define = (object, key, value) =>
    Object.defineProperty(object, key, { value, writable: true, configurable: true });
  const lazy = (name, library, pick) =>
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get() { const value = pick(load(library)); define(globalThis, name, value); return value; },
      set(value) { define(globalThis, name, value); },
    });

  // Libraries are compiled when they are first used.
  const loaded = {};
  const load = (library) => (loaded[library] ??= host.load(library)(host, load));
  for (const name of ["Buffer", "TextEncoder", "TextDecoder", "atob", "btoa"]) lazy(name, "buffer", (l) => l[name]);
  for (const name of ["URL", "URLSearchParams"]) lazy(name, "url", (l) => l[name]);
  lazy("util", "util", (l) => l);
  lazy("promisify", "util", (l) => l.promisify);
  lazy("structuredClone", "util", (l) => l.structuredClone);
  lazy("RED", "red", (l) => l.make(undefined));
  lazy("crypto", "crypto", (l) => l.webcrypto);
  define(globalThis, "queueMicrotask", (callback) => { Promise.resolve().then(() => callback()); });
  lazy("Intl", "locale", () => undefined);
  for (const [object, method] of [[Number, "toLocaleString"], [Date, "toLocaleString"], [Date, "toLocaleDateString"], [Date, "toLocaleTimeString"]]) {
    define(object.prototype, method, function (...rest) { return load("locale")[object === Number ? "number" : method](this, ...rest); });
  }

  if (virtualClock) {
    const Clock = function Date(...parts) {
      if (new.target === undefined) return new NativeDate(host.now()).toString();
      return Reflect.construct(NativeDate, parts.length === 0 ? [host.now()] : parts, new.target);
    };
    Clock.prototype = NativeDate.prototype;
    for (const name of ["parse", "UTC"]) define(Clock, name, NativeDate[name]);
    define(Clock, "now", () => host.now());
    define(NativeDate.prototype, "constructor", Clock);
    define(globalThis, "Date", Clock);
  }

  // Where the code of a function stands: with it, errors can name what failed.
  const owners = new WeakMap();
  const sourceOf = (sites) => {
    const called = sites.map((site) => site.getFunction()).filter((called) => typeof called === "function");
    const known = called.find((one) => owners.has(one));
    if (known !== undefined) return String(owners.get(known));
    const text = called.length > 0 ? String(called[0]) : undefined;
    if (text === undefined) return undefined;
    for (const n of nodes) {
      const found = n?.factories.map(String).find((source) => source.includes(text));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  Error.prepareStackTrace = (error, sites) => load("errors")(error, sites, sourceOf);

  const parseJson = JSON.parse;
  define(JSON, "parse", function parse(text, reviver) {
    try { return parseJson(text, reviver); } catch (error) {
      const words = error instanceof SyntaxError ? host.jsonError(String(text)) : undefined;
      if (words !== undefined) define(error, "message", words);
      throw error;
    }
  });

  // A value that is no plain object or array, taken apart for native code: a tag, then its parts.
  const base64 = (bytes) => Uint8Array.prototype.toBase64.call(bytes);
  const isBuffer = (value) => loaded.buffer !== undefined && value instanceof loaded.buffer.Buffer;
  const classify = (value) => {
    if (typeof value === "function") {
      const index = free.length > 0 ? free.pop() : functions.length;
      functions[index] = value;
      return ["function", index, String(value.name)];
    }
    const holder = holders.get(value);
    if (holder !== undefined) return ["opaque", holder];
    if (ArrayBuffer.isView(value)) {
      if (isBuffer(value)) return ["Buffer", base64(value)];
      const kind = kindOfTyped.call(value) ?? "DataView";
      return ["typed", kind, base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))];
    }
    switch (toText.call(value)) {
      case "[object Date]": return ["Date", NativeDate.prototype.getTime.call(value)];
      case "[object RegExp]": return ["RegExp", value.source, value.flags];
      case "[object Map]": {
        const parts = ["Map"];
        Map.prototype.forEach.call(value, (inner, key) => parts.push(key, inner));
        return parts;
      }
      case "[object Set]": {
        const parts = ["Set"];
        Set.prototype.forEach.call(value, (inner) => parts.push(inner));
        return parts;
      }
      case "[object ArrayBuffer]": return ["typed", "ArrayBuffer", base64(new Uint8Array(value))];
      case "[object Error]": {
        const extra = {};
        for (const key of Object.getOwnPropertyNames(value)) {
          if (key !== "name" && key !== "message" && key !== "stack") define(extra, key, value[key]);
        }
        for (const key of Object.keys(extra).concat(Object.getOwnPropertyNames(extra))) {
          Object.defineProperty(extra, key, { enumerable: true });
        }
        return ["Error", String(value.name), String(value.message), typeof value.stack === "string" ? value.stack : undefined, extra];
      }
      case "[object String]": case "[object Number]": case "[object Boolean]": return ["boxed", value.valueOf()];
      default: return ["plain"];
    }
  };

  // The reverse: a value from its parts.
  const make = (tag, a, b, c) => {
    switch (tag) {
      case "Buffer": return Object.setPrototypeOf(a, load("buffer").Buffer.prototype);
      case "Date": return new NativeDate(a);
      case "RegExp": try { return new RegExp(a, b); } catch { return new RegExp("(?:)"); }
      case "Map": return new Map();
      case "Set": return new Set();
      case "Map.set": return Map.prototype.set.call(a, b, c);
      case "Set.add": return Set.prototype.add.call(a, b);
      case "BigInt": return BigInt(a);
      case "typed": {
        if (a === "ArrayBuffer" || a === "SharedArrayBuffer") return b.buffer;
        const kind = globalThis[a];
        return typeof kind === "function" ? new kind(b.buffer) : b;
      }
      case "Error": {
        const kind = Object.hasOwn(errors, a) ? errors[a] : Error;
        const error = new kind(b);
        if (error.name !== a) define(error, "name", a);
        define(error, "stack", c);
        return error;
      }
      case "opaque": {
        const proxy = new Proxy({}, {
          get: (target, key) => (typeof key === "string" && !Object.hasOwn(target, key) ? a(key) : target[key]),
        });
        holders.set(proxy, a);
        return proxy;
      }
      case "foreign": return () => { throw new Error("This function was made in another flow, or before the last deploy, and cannot be called here"); };
    }
    return undefined;
  };

  // --- the API of a node -------------------------------------------------------------------------------------------

  // Callbacks get what Node-RED's memory store gives them: (error, value, …), and an error of the key as their first argument.
  const scopeOf = (node, scope) => {
    const check = (key) => {
      const all = Array.isArray(key) ? key : [key];
      if (all.length === 0 || all.some((one) => typeof one !== "string" || one === "")) throw new Error("Invalid context key");
    };
    const call = (store, callback, work) => {
      if (typeof store === "function" && !callback) [store, callback] = [undefined, store];
      if (!callback) return work(store);
      if (typeof callback !== "function") throw new Error("Callback must be a function");
      let answer;
      try { answer = work(store); } catch (error) { callback(error); return undefined; }
      return { answer, callback };
    };
    return {
      get(key, store, callback) {
        const called = call(store, callback, (own) => {
          check(key);
          return Array.isArray(key) ? key.map((one) => host.get(node, scope, one, own)) : host.get(node, scope, key, own);
        });
        if (typeof store !== "function" && !callback) return called;
        if (called !== undefined) called.callback(undefined, ...(Array.isArray(key) ? called.answer : [called.answer]));
        return undefined;
      },
      set(key, value, store, callback) {
        const called = call(store, callback, (own) => {
          check(key);
          if (!Array.isArray(key)) { host.set(node, scope, key, own, value); return; }
          const values = Array.isArray(value) ? value : [value];
          key.forEach((one, at) => host.set(node, scope, one, own, at < values.length ? values[at] : null));
        });
        called?.callback(undefined);
      },
      keys(store, callback) {
        const called = call(store, callback, (own) => host.keys(node, scope, own));
        if (typeof store !== "function" && !callback) return called;
        if (called !== undefined) called.callback(null, called.answer);
        return undefined;
      },
    };
  };

  const timersOf = (n) => {
    const start = (repeat) => (callback, wait, ...rest) => {
      if (typeof callback !== "function") throw new TypeError("The first argument of a timer must be a function");
      const id = host.timer(n.index, Number(wait) || 0, repeat);
      n.timers.set(id, { callback, rest, repeat });
      return id;
    };
    const clear = (id) => { if (n.timers.delete(Number(id))) host.clear(n.index, Number(id)); };
    const setTimeout = start(false);
    const setImmediate = (callback, ...rest) => setTimeout(callback, 0, ...rest);
    define(setTimeout, promisified, (wait, value) => new Promise((resolve) => setTimeout(resolve, wait, value)));
    define(setImmediate, promisified, (value) => new Promise((resolve) => setImmediate(resolve, value)));
    return {
      setTimeout, setInterval: start(true), setImmediate,
      clearTimeout: clear, clearInterval: clear, clearImmediate: clear,
    };
  };

  // What the code of the start and stop sections finds in `node`.
  const sectionNodeOf = (n) => {
    const log = (level) => (...args) => host.log(n.index, level, ...args);
    return {
      id: n.info.id, name: n.info.name, path: n.info.path, outputCount: n.info.outputs,
      log: log(40), warn: log(30), debug: log(50), trace: log(60),
      error: (...args) => host.error(n.index, ...args),
      status: (status) => host.status(n.index, status),
      send: (value, clone) => host.send(n.index, value, clone !== false, undefined),
    };
  };

  const nodeOf = (n) => ({
    ...sectionNodeOf(n),
    done: () => undefined,
    on(event, callback) {
      if (event === "input") throw new Error(host.text(n.index, "function.error.inputListener"));
      if (event === "close" && typeof callback === "function") n.closers.push(callback);
    },
    // With `clone: false` the message itself is handed over: what comes back is written into it.
    async linkcall(target, msg, options) {
      const refuse = (key) => { throw new Error(host.text(n.index, key)); };
      if (typeof target !== "string" || target.trim() === "") refuse("function.error.linkcallTargetInvalid");
      if (typeof msg !== "object" || msg === null) refuse("function.error.linkcallMsgInvalid");
      const call = host.linkcall(n.index, target, msg);
      const { setTimeout, clearTimeout } = timersOf(n);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => { n.links.delete(call); reject(new Error("timeout")); }, options?.timeout || 5000);
        n.links.set(call, (returned) => {
          clearTimeout(timer);
          if (options?.clone !== false) { resolve(returned); return; }
          for (const key of Object.keys(msg)) if (!Object.hasOwn(returned, key)) delete msg[key];
          resolve(Object.assign(msg, returned));
        });
      });
    },
  });

  const provide = (n, name) => {
    if (name in n.api) return n.api[name];
    switch (name) {
      case "context": {
        const own = scopeOf(n.index, 0);
        own.flow = provide(n, "flow");
        own.global = provide(n, "global");
        return (n.api.context = own);
      }
      case "flow": return (n.api.flow = scopeOf(n.index, 1));
      case "global": return (n.api.global = scopeOf(n.index, 2));
      case "env": return (n.api.env = { get: (key) => host.env(n.index, String(key)) });
      case "node": return (n.api.node = nodeOf(n));
      case "console": return (n.api.console = load("console")((level, text) => host.log(n.index, level, text)));
      case "RED": return (n.api.RED = load("red").make(n.index));
      default: Object.assign(n.api, timersOf(n)); return n.api[name];
    }
  };

  const forMessage = (n, msg) => {
    const id = msg._msgid;
    return {
      __proto__: n.api.node,
      send: (value, clone) => host.send(n.index, value, clone !== false, id),
      done: (error) => (error ? host.fail(n.index, error, msg) : host.done(n.index, msg)),
    };
  };

  const nodeAt = (index, info) => (nodes[index] ??= { index, info, api: {}, timers: new Map(), links: new Map(), closers: [], sections: {}, factories: [] });

  // A section of a node's code: `factory` takes the parts of the API that it names, and the modules that it asks for.
  const install = (index, info, section, factory, names, usesNode, nodeOfMessage) => {
    const n = nodeAt(index, info);
    for (const [name, module] of Object.entries(info.modules)) n.api[name] ??= load(module);
    const body = factory(...names.map((name) => provide(n, name)));
    n.factories.push(factory);
    owners.set(body, factory);
    if (section !== "body") { n.sections[section] = () => body(sectionNodeOf(n)); return; }
    if (usesNode) provide(n, "node");
    if (!usesNode) calls[index] = body;
    else if (nodeOfMessage) calls[index] = (msg) => body(msg, forMessage(n, msg));
    else calls[index] = (msg) => body(msg, n.api.node);
  };

  // A node type of the user's own: handlers that share what their file declares.
  const installOwn = (index, info, factory, config, credentials, names) => {
    const n = nodeAt(index, info);
    const node = provide(n, "node");
    node.name ??= "";
    // Outside of onInput there is no message that the sent ones belong to: they keep their own ids.
    node.send = (value, clone) => host.send(index, value, clone !== false, null);
    node.done = () => { throw new Error("Say done() of the message instead: onInput(msg, send, done)"); };
    const { onStart, onInput, onClose } = factory(node, config, credentials, ...names.map((name) => provide(n, name)));
    n.sections.setup = onStart;
    n.sections.cleanup = onClose;
    if (onInput === undefined) return;
    calls[index] = onInput.length < 2 ? onInput : (msg) => {
      const own = forMessage(n, msg);
      return onInput(msg, own.send, (error) => (error ? host.error(index, error, msg) : own.done()));
    };
  };

  const run = (index, section, argument) => nodes[index]?.sections[section]?.(argument);

  const settle = (index, call, promise, msg) => {
    promise.then((value) => host.settled(index, call, true, value, msg), (error) => host.settled(index, call, false, error, msg));
  };

  const fire = (index, id) => {
    const timer = nodes[index]?.timers.get(id);
    if (timer === undefined) return undefined;
    if (!timer.repeat) nodes[index].timers.delete(id);
    return timer.callback(...timer.rest);
  };

  // A link call has come back.
  const returned = (index, call, msg) => {
    const n = nodes[index];
    const take = n?.links.get(call);
    if (take === undefined) return;
    n.links.delete(call);
    take(msg);
  };

  const close = (index, removed) => {
    const n = nodes[index];
    if (n === undefined) return;
    for (const closer of n.closers) {
      try {
        if (closer.length > 1) closer.call(n.api.node, removed, () => {});
        else closer.call(n.api.node, () => {});
      } catch (error) {
        host.error(index, error);
      }
    }
  };

  const forget = (index) => { delete nodes[index]; delete calls[index]; };
  const release = (index) => { functions[index] = undefined; free.push(index); };
  const asText = (value) => { const text = JSON.stringify(value); return text === undefined ? String(value) : text; };
  const wellFormed = (text) => String.prototype.toWellFormed.call(text);

  kit.push(calls, Object.prototype, classify, make, settle, install, run, fire, close, forget, functions, release, handed, asText, wellFormed, Object.create(null), installOwn, returned, []);
})
