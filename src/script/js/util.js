// The parts of Node's `util` that flows use, and structuredClone.
(function (host, load) {
  "use strict";
  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const types = {
    isDate: (v) => tagOf(v) === "Date", isRegExp: (v) => tagOf(v) === "RegExp", isMap: (v) => tagOf(v) === "Map",
    isSet: (v) => tagOf(v) === "Set", isPromise: (v) => v instanceof Promise, isNativeError: (v) => tagOf(v) === "Error",
    isTypedArray: (v) => ArrayBuffer.isView(v) && !(v instanceof DataView), isUint8Array: (v) => v instanceof Uint8Array,
    isArrayBuffer: (v) => v instanceof ArrayBuffer, isAsyncFunction: (v) => tagOf(v) === "AsyncFunction",
    isGeneratorFunction: (v) => tagOf(v) === "GeneratorFunction",
  };

  const quote = (text) => {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes("`") ? "`" : "'";
    return mark + text.replace(/[\\\n\r\t\b\f\v]/g, (c) => ({ "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v" })[c]).replaceAll(mark === "'" ? "'" : "\0", "\\'") + mark;
  };
  const keyText = (key) => (typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key));

  // `inspect(value, showHidden, depth)` is the old form.
  const inspect = (value, options, third) => {
    const depth = options !== null && typeof options === "object" ? options.depth : third;
    return show(value, [], depth === null ? Infinity : depth ?? 2);
  };
  const show = (value, above, depth) => {
    switch (typeof value) {
      case "string": return quote(value);
      case "number": return Object.is(value, -0) ? "-0" : String(value);
      case "bigint": return String(value) + "n";
      case "symbol": return String(value);
      case "function": {
        const isClass = /^class\b/.test(Function.prototype.toString.call(value));
        return isClass ? `[class ${value.name || "(anonymous)"}]` : `[${tagOf(value)}${value.name ? ": " + value.name : " (anonymous)"}]`;
      }
      case "object": break;
      default: return String(value);
    }
    if (value === null) return "null";
    if (above.includes(value)) return "[Circular *1]";
    const inner = (other) => show(other, above.concat([value]), depth);
    const name = value.constructor?.name ?? "[Object: null prototype]";
    const own = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
    const fields = (skip) => own.filter((key) => !skip(key)).map((key) => {
      const { get, set } = Object.getOwnPropertyDescriptor(value, key);
      const text = get ? (set ? "[Getter/Setter]" : "[Getter]") : set ? "[Setter]" : inner(value[key]);
      return `${keyText(key)}: ${text}`;
    });
    const isIndex = (key) => typeof key === "string" && /^\d+$/.test(key);
    if (types.isDate(value)) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (types.isRegExp(value)) return String(value);
    if (types.isNativeError(value)) {
      const text = value.stack ? String(value.stack) : `[${String(value)}]`;
      const more = fields((key) => key === "stack" || key === "message");
      return more.length === 0 ? text : `${text} { ${more.join(", ")} }`;
    }
    if (load("buffer").Buffer.isBuffer(value)) {
      const hex = Array.from(value.subarray(0, 50), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      return `<Buffer${hex === "" ? "" : " " + hex}${value.length > 50 ? ` ... ${value.length - 50} more byte${value.length > 51 ? "s" : ""}` : ""}>`;
    }
    if (above.length > depth) return Array.isArray(value) ? "[Array]" : `[${name}]`;
    if (types.isPromise(value)) return "Promise { <pending> }";
    let open = "{", close = "}", list;
    let prefix = name === "Object" ? "" : name + " ";
    if (Array.isArray(value) || types.isTypedArray(value)) {
      [open, close] = ["[", "]"];
      prefix = Array.isArray(value) && name === "Array" ? "" : `${name}(${value.length}) `;
      list = Array.from(value.slice(0, 100), (item, at) => (at in value ? inner(item) : "<1 empty item>"));
      if (value.length > 100) list.push(`... ${value.length - 100} more item${value.length > 101 ? "s" : ""}`);
      list.push(...fields(isIndex));
    } else if (types.isMap(value)) {
      prefix = `${name}(${value.size}) `;
      list = [...Array.from(value, ([key, item]) => `${inner(key)} => ${inner(item)}`), ...fields(() => false)];
    } else if (types.isSet(value)) {
      prefix = `${name}(${value.size}) `;
      list = [...Array.from(value, inner), ...fields(() => false)];
    } else if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return `[${name}: ${inner(value.valueOf())}]`;
    } else {
      list = fields(() => false);
    }
    if (list.length === 0) return `${prefix}${open}${close}`;
    const line = `${prefix}${open} ${list.join(", ")} ${close}`;
    if (line.length <= 72 + above.length * 2 && !line.includes("\n")) return line;
    return `${prefix}${open}\n${list.map((item) => "  " + item.replace(/\n/g, "\n  ")).join(",\n")}\n${close}`;
  };

  const format = (first, ...rest) => {
    if (typeof first !== "string") return [first, ...rest].map((part) => (typeof part === "string" ? part : inspect(part))).join(" ");
    let at = 0;
    let text = first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === "%%") return rest.length > 0 ? "%" : mark;
      if (at >= rest.length) return mark;
      const part = rest[at++];
      switch (mark) {
        case "%s": return typeof part === "object" && part !== null ? inspect(part, { depth: 0 }) : typeof part === "bigint" ? part + "n" : String(part);
        case "%d": return typeof part === "bigint" ? part + "n" : typeof part === "symbol" ? "NaN" : String(Number(part));
        case "%i": return String(parseInt(part, 10));
        case "%f": return String(parseFloat(part));
        case "%j": try { return JSON.stringify(part); } catch { return "[Circular]"; }
        case "%c": return "";
        default: return inspect(part, { depth: mark === "%o" ? 4 : 2 });
      }
    });
    for (; at < rest.length; at++) text += " " + (typeof rest[at] === "string" ? rest[at] : inspect(rest[at]));
    return text;
  };

  const promisify = (original) => {
    if (typeof original !== "function") throw new TypeError('The "original" argument must be of type function');
    return function (...parts) {
      return new Promise((resolve, reject) => original.call(this, ...parts, (error, value) => (error ? reject(error) : resolve(value))));
    };
  };

  const isDeepStrictEqual = (a, b, seen = []) => {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || tagOf(a) !== tagOf(b)) return false;
    if (seen.some(([x, y]) => x === a && y === b)) return true;
    const deeper = seen.concat([[a, b]]);
    const same = (x, y) => isDeepStrictEqual(x, y, deeper);
    if (types.isDate(a) && a.getTime() !== b.getTime()) return false;
    if (types.isRegExp(a) && String(a) !== String(b)) return false;
    if (types.isNativeError(a) && (a.message !== b.message || a.name !== b.name)) return false;
    if (types.isMap(a) && (a.size !== b.size || ![...a].every(([key, value]) => b.has(key) && same(value, b.get(key))))) return false;
    if (types.isSet(a) && (a.size !== b.size || ![...a].every((value) => b.has(value) || [...b].some((other) => same(value, other))))) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  };

  // `shared`: keys of the outermost object that are kept as they are.
  const copy = (value, known, refuseFunctions, shared) => {
    if (typeof value === "function" && refuseFunctions) throw Object.assign(new Error(`${String(value)} could not be cloned.`), { name: "DataCloneError", code: 25 });
    if (typeof value !== "object" || value === null) return value;
    if (known.has(value)) return known.get(value);
    const remember = (made) => { known.set(value, made); return made; };
    const inner = (other) => copy(other, known, refuseFunctions, undefined);
    if (Array.isArray(value)) { const made = remember(new Array(value.length)); for (const key of Object.keys(value)) made[key] = inner(value[key]); return made; }
    if (load("buffer").Buffer.isBuffer(value)) return remember(load("buffer").Buffer.from(value));
    if (types.isDate(value)) return remember(new Date(value.getTime()));
    if (types.isRegExp(value)) return remember(new RegExp(value.source, value.flags));
    if (types.isMap(value)) { const made = remember(new Map()); value.forEach((item, key) => made.set(inner(key), inner(item))); return made; }
    if (types.isSet(value)) { const made = remember(new Set()); value.forEach((item) => made.add(inner(item))); return made; }
    if (value instanceof ArrayBuffer) return remember(value.slice(0));
    if (types.isTypedArray(value)) return remember(value.slice());
    if (types.isPromise(value)) return value;
    const made = remember(types.isNativeError(value) ? Object.assign(new value.constructor(value.message), { stack: value.stack }) : Object.create(refuseFunctions ? Object.prototype : Object.getPrototypeOf(value)));
    for (const key of Object.keys(value)) {
      const item = shared?.includes(key) ? value[key] : inner(value[key]);
      Object.defineProperty(made, key, { value: item, writable: true, enumerable: true, configurable: true });
    }
    return made;
  };

  return {
    types, inspect, format, promisify, isDeepStrictEqual,
    structuredClone: (value) => copy(value, new Map(), true),
    cloneMessage: (value) => copy(value, new Map(), false, ["req", "res"]),
    isArray: Array.isArray,
    isDate: types.isDate, isRegExp: types.isRegExp, isError: types.isNativeError,
    isString: (v) => typeof v === "string", isNumber: (v) => typeof v === "number", isFunction: (v) => typeof v === "function",
    isObject: (v) => typeof v === "object" && v !== null, isUndefined: (v) => v === undefined, isNullOrUndefined: (v) => v == null,
    inherits(child, parent) { Object.setPrototypeOf(child.prototype, parent.prototype); child.super_ = parent; },
    deprecate: (original) => original,
    callbackify: (original) => (...parts) => { const callback = parts.pop(); original(...parts).then((value) => callback(null, value), callback); },
    TextEncoder: load("buffer").TextEncoder, TextDecoder: load("buffer").TextDecoder,
  };
})
