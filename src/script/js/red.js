// RED.util, for one node (its index) or for none.
(function (host, load) {
  "use strict";
  const invalid = (text) => Object.assign(new Error(text), { code: "INVALID_EXPR" });
  const partsOf = (expression, msg) => {
    const resolve = (parts) => parts.map((part) => {
      if (!Array.isArray(part)) return part;
      const value = walk(msg, resolve(part));
      if (value === undefined) throw invalid("Invalid property expression: a reference in it is undefined");
      return value;
    });
    return resolve(host.path(String(expression)));
  };
  const walk = (object, parts) => parts.reduce((value, part) => value[part], object);

  const getObjectProperty = (object, expression) => walk(object, partsOf(expression, object));
  const setObjectProperty = (object, expression, value, create) => {
    const parts = partsOf(expression, object);
    const make = create ?? value !== undefined;
    const last = parts.pop();
    let target = object;
    for (let at = 0; at < parts.length; at++) {
      let next = target[parts[at]];
      if (next === undefined) {
        if (!make) return false;
        next = typeof (parts[at + 1] ?? last) === "number" ? [] : {};
        Object.defineProperty(target, parts[at], { value: next, writable: true, enumerable: true, configurable: true });
      }
      if (typeof next !== "object" || next === null) return false;
      target = next;
    }
    if (value !== undefined) Object.defineProperty(target, last, { value, writable: true, enumerable: true, configurable: true });
    else if (Array.isArray(target)) target.splice(last, 1);
    else delete target[last];
    return true;
  };
  const own = (expression) => (String(expression).startsWith("msg.") ? String(expression).slice(4) : expression);

  const make = (index) => {
    const evaluate = (value, type, msg) => {
      switch (type) {
        case "str": return String(value);
        case "num": return Number(value);
        case "bool": return /^true$/i.test(value);
        case "json": return JSON.parse(value);
        case "re": return new RegExp(value);
        case "date": return value === "object" ? new Date() : value === "iso" ? new Date().toISOString() : Date.now();
        case "bin": {
          const data = JSON.parse(value);
          if (Array.isArray(data) || typeof data === "string") return load("buffer").Buffer.from(data);
          throw Object.assign(new Error("Invalid buffer data"), { code: "INVALID_BUFFER_DATA" });
        }
        case "msg": return msg === undefined || msg === null ? undefined : getObjectProperty(msg, own(value));
        case "flow": return host.get(index, 1, String(value), undefined);
        case "global": return host.get(index, 2, String(value), undefined);
        case "env": return host.env(index, String(value).replace(/^\$\{(.*)\}$/, "$1")) ?? "";
        case "jsonata": throw new Error("JSONata expressions cannot be evaluated in a function yet");
        default: return value;
      }
    };
    const util = {
      cloneMessage: (msg) => load("util").cloneMessage(msg),
      getMessageProperty: (msg, expression) => getObjectProperty(msg, own(expression)),
      setMessageProperty: (msg, expression, value, create) => setObjectProperty(msg, own(expression), value, create),
      getObjectProperty, setObjectProperty,
      generateId: () => host.id(),
      compareObjects: (a, b) => load("util").isDeepStrictEqual(a, b),
      ensureString: (value) => (load("buffer").Buffer.isBuffer(value) ? value.toString() : typeof value === "object" && value !== null ? JSON.stringify(value) : typeof value === "string" ? value : `${value}`),
      ensureBuffer: (value) => {
        const { Buffer } = load("buffer");
        return Buffer.isBuffer(value) ? value : Buffer.from(util.ensureString(value));
      },
      normalisePropertyExpression: (expression, msg) => partsOf(expression, msg),
      evaluateNodeProperty(value, type, node, msg, callback) {
        if (typeof callback !== "function") return evaluate(value, type, msg);
        let answer;
        try { answer = evaluate(value, type, msg); } catch (error) { callback(error); return undefined; }
        callback(null, answer);
        return undefined;
      },
    };
    return { util };
  };
  return { make };
})
