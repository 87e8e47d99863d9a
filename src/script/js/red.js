// RED.util, for one node (its index) or for none.
(function (host, load) {
  "use strict";
  const invalid = (text) => Object.assign(new Error(text), { code: "INVALID_EXPR" });
  // The parts of an expression; with a message its references are looked up in it, else they stand there as arrays. A number
  // at the end after a dot is a name: `a.0` of nothing makes an object.
  const partsOf = (expression, msg) => {
    const resolve = (parts) => parts.map((part) => {
      if (!Array.isArray(part)) return part;
      if (msg === undefined || msg === null) return ["msg", ...resolve(part)];
      let value;
      try { value = walk(msg, resolve(part)); } catch { value = undefined; }
      if (value === undefined) throw invalid(`Invalid expression started at position ${String(expression).indexOf("[msg") + 1}`);
      return value;
    });
    const parts = resolve(host.path(String(expression)));
    if (/\.\d+$/.test(expression)) parts.push(String(parts.pop()));
    return parts;
  };
  const walk = (object, parts) => parts.reduce((value, part) => value[part], object);
  const textOf = (parts) => parts.map((part, at) => (at === 0 ? part : typeof part !== "string" ? `[${part}]` : part.includes('"') ? `['${part}']` : `["${part}"]`)).join("");
  const own = (expression) => (expression.indexOf("msg.") === 0 ? expression.slice(4) : expression);
  const put = (object, key, value) => Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });

  const getObjectProperty = (object, expression) => walk(object, partsOf(expression, object));
  const setObjectProperty = (object, expression, value, create = value !== undefined) => {
    const parts = partsOf(expression, object);
    const last = parts.pop();
    let target = object;
    parts.forEach((part, at) => {
      if (target === undefined) return;
      const index = typeof part === "number" && Array.isArray(target);
      if (index ? target[part] === undefined : !Object.hasOwn(target, part)) {
        if (create) put(target, part, typeof (parts[at + 1] ?? last) === "string" ? {} : []);
        target = create ? target[part] : undefined;
        return;
      }
      const next = target[part];
      target = (typeof next === "object" && next !== null) || typeof next === "function" || (index && next !== null) ? next : undefined;
    });
    if (target === undefined) return false;
    if (value === undefined) {
      if (typeof last === "number" && Array.isArray(target)) target.splice(last, 1);
      else if (typeof target === "object") delete target[last];
      return true;
    }
    if (typeof target !== "object" || target === null) return false;
    if (Array.isArray(target) && last === "length") target.length = value;
    else put(target, last, value);
    return true;
  };

  const compareObjects = (a, b) => {
    if (a === b) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (Array.isArray(a)) return a.length === b.length && a.every((item, at) => compareObjects(item, b[at]));
    const { Buffer } = load("buffer");
    if (Buffer.isBuffer(a) !== Buffer.isBuffer(b)) return false;
    if (Buffer.isBuffer(a)) return a.equals(b);
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => compareObjects(a[key], b[key]));
  };
  const ensureString = (value) => {
    if (load("buffer").Buffer.isBuffer(value)) return value.toString();
    return typeof value === "object" ? JSON.stringify(value) : typeof value === "string" ? value : `${value}`;
  };
  const ensureBuffer = (value) => {
    const { Buffer } = load("buffer");
    return Buffer.isBuffer(value) ? value : Buffer.from(ensureString(value));
  };
  const parseContextStore = (key) => {
    const named = /^#:\((\S+?)\)::(.*)$/.exec(key);
    return named === null ? { key } : { store: named[1], key: named[2] };
  };
  const normaliseNodeTypeName = (name) => {
    const words = name.replace(/[^a-zA-Z0-9]/g, " ").trim().replace(/ +/g, " ");
    const joined = words.replace(/ ./g, (start) => start.charAt(1).toUpperCase());
    return joined.charAt(0).toLowerCase() + joined.slice(1);
  };

  // For the debug panel: the value in `msg.msg` as text, its kind in `msg.format`.
  const encodeObject = (msg, options) => {
    const { Buffer } = load("buffer");
    const most = options !== undefined && Object.hasOwn(options, "maxLength") ? options.maxLength : 1000;
    const wrap = (type, data, length) => ({ __enc__: true, type, ...(data === undefined ? {} : { data }), ...(length === undefined ? {} : { length }) });
    const error = (value) => wrap("error", {
      name: value.name, message: Object.hasOwn(value, "message") ? value.message : value.toString(),
      ...(value.code === undefined ? {} : { code: value.code }), ...(value.cause === undefined ? {} : { cause: `${value.cause}` }), stack: value.stack,
    });
    const isBuffer = (value) => typeof value === "object" && value !== null && value.type === "Buffer" && Array.isArray(value.data);
    const stringify = (root) => {
      const above = [];
      const names = [];
      return JSON.stringify(root, function (key, value) {
        if (key === "_req" || key === "_res") return wrap("internal");
        if (value instanceof Error) return error(value);
        if (typeof value === "object" && value !== null) {
          while (above.length > 0 && above.at(-1) !== this) { above.pop(); names.pop(); }
          if (above.includes(value)) return above[0] === value ? "[Circular ~]" : `[Circular ~.${names.slice(1, above.indexOf(value) + 1).join(".")}]`;
          above.push(value);
          names.push(key);
        }
        if (Array.isArray(value) && value.length > most && !(isBuffer(this) && key === "data")) return wrap("array", value.slice(0, most), value.length);
        if (typeof value === "string" && value.length > most) return value.substring(0, most) + "...";
        if (typeof value === "function") return wrap("function");
        if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) return wrap("number", Object.is(value, -0) ? "-0" : String(value));
        if (typeof value === "bigint") return wrap("bigint", String(value));
        if (value instanceof RegExp) return wrap("regexp", String(value));
        if (value instanceof Set) return wrap("set", Array.from(value).slice(0, most), value.size);
        if (value instanceof Map) return wrap("map", Object.fromEntries(Array.from(value).slice(0, most)), value.size);
        if (value === undefined) return wrap("undefined");
        if (isBuffer(value)) return { type: "Buffer", data: value.data.slice(0, most), ...(value.data.length > most ? { __enc__: true, length: value.data.length } : {}) };
        return value;
      });
    };
    const value = msg.msg;
    const set = (format, text) => { msg.format = format; msg.msg = text; return msg; };
    if (value instanceof Error) return set("error", JSON.stringify(error(value)));
    if (Buffer.isBuffer(value)) return set(`buffer[${value.length}]`, value.toString("hex").substring(0, most));
    if (typeof value === "object" && value !== null) {
      const kind = value.constructor?.name || "Object";
      if (Array.isArray(value)) return set(`array[${value.length}]`, stringify(value));
      if (ArrayBuffer.isView(value)) return set(`${kind}[${value.length}]`, stringify(value.length > most ? wrap(kind, value.slice(0, most), value.length) : value));
      if (value instanceof Set) return set(`set[${value.size}]`, stringify(wrap("set", Array.from(value).slice(0, most), value.size)));
      if (value instanceof Map) return set("map", stringify(wrap("map", Object.fromEntries(Array.from(value).slice(0, most)), value.size)));
      if (value instanceof RegExp) return set("regexp", String(value));
      return set(kind, kind === "Object" ? stringify(value) : String(value));
    }
    switch (typeof value) {
      case "boolean": return set("boolean", String(value));
      case "number": return set("number", String(value));
      case "bigint": return set("bigint", wrap("bigint", String(value)));
      case "function": return set("function", "[function]");
      case "object": return set("null", "(undefined)");
      case "undefined": return set("undefined", "(undefined)");
      default: {
        const text = String(value);
        return set(`string[${text.length}]`, text.length > most ? text.substring(0, most) + "..." : text);
      }
    }
  };

  const make = (index) => {
    // Evaluating looks itself whether the expression is of the old style, which names the message `msg`.
    const prepareJSONataExpression = (source) => {
      const bindings = {};
      host.jsonata(index, String(source));
      const expression = {
        evaluate: async (input, more, callback) => {
          let value;
          try { value = host.jsonata(index, String(source), input, { ...bindings, ...more }); } catch (error) {
            if (typeof callback === "function") { callback(error); return undefined; }
            throw error;
          }
          if (typeof callback === "function") callback(null, value);
          return value;
        },
        assign: (name, value) => { bindings[name] = value; },
        registerFunction: (name, value) => { bindings[name] = value; },
        _legacyMode: /(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)/.test(source),
      };
      return expression;
    };
    const evaluateJSONataExpression = (expression, msg, callback) => {
      if (typeof callback !== "function") throw new Error("Calls to RED.util.evaluateJSONataExpression must include a callback.");
      expression.evaluate(msg).then((value) => callback(null, value), (error) => callback(error));
    };
    const evaluate = (value, type, msg) => {
      switch (type) {
        case "str": return "" + value;
        case "num": return Number(value);
        case "bool": return /^true$/i.test(value);
        case "json": return JSON.parse(value);
        case "re": return new RegExp(value);
        case "date": return !value ? Date.now() : value === "object" ? new Date() : value === "iso" ? new Date().toISOString() : host.typed(index, "date", String(value));
        case "bin": {
          const data = JSON.parse(value);
          if (Array.isArray(data) || typeof data === "string") return load("buffer").Buffer.from(data);
          throw Object.assign(new Error("Not string or array"), { code: "INVALID_BUFFER_DATA" });
        }
        case "msg": return msg ? getObjectProperty(msg, own(value)) : value;
        case "flow": case "global": {
          const { store, key } = parseContextStore(value);
          return host.get(index, type === "flow" ? 1 : 2, /\[msg/.test(key) ? textOf(partsOf(key, msg)) : key, store);
        }
        case "env": return host.typed(index, "env", String(value));
        default: return value;
      }
    };
    const util = {
      encodeObject, ensureString, ensureBuffer,
      cloneMessage: (msg) => load("util").cloneMessage(msg),
      compareObjects,
      generateId: () => host.id(),
      getMessageProperty: (msg, expression) => getObjectProperty(msg, own(expression)),
      setMessageProperty: (msg, expression, value, create) => setObjectProperty(msg, own(expression), value, create),
      getObjectProperty, setObjectProperty,
      evaluateNodeProperty(value, type, node, msg, callback) {
        if (type === "jsonata") return evaluateJSONataExpression(prepareJSONataExpression(value), msg, callback);
        if (typeof callback !== "function") return evaluate(value, type, msg);
        let answer;
        if (type !== "msg" && type !== "flow" && type !== "global") answer = evaluate(value, type, msg);
        else try { answer = evaluate(value, type, msg); } catch (error) { callback(error); return undefined; }
        callback(null, answer);
        return undefined;
      },
      normalisePropertyExpression: (expression, msg, asText) => (asText ? textOf(partsOf(expression, msg)) : partsOf(expression, msg)),
      normaliseNodeTypeName, prepareJSONataExpression, evaluateJSONataExpression, parseContextStore,
      getSetting: (node, name) => host.env(index, String(name)),
    };
    return { util };
  };
  return { make };
})
