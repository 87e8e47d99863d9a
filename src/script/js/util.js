// The parts of Node's `util` that flows use, and structuredClone.
(function (host, load) {
  "use strict";
  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const boxed = { Number, String, Boolean, Symbol, BigInt };
  const isBoxed = (name) => (v) => typeof v === "object" && v !== null && tagOf(v) === name && v instanceof boxed[name];
  const types = {
    isDate: (v) => tagOf(v) === "Date" && v instanceof Date, isRegExp: (v) => tagOf(v) === "RegExp" && v instanceof RegExp,
    isMap: (v) => v instanceof Map, isSet: (v) => v instanceof Set, isWeakMap: (v) => v instanceof WeakMap, isWeakSet: (v) => v instanceof WeakSet,
    isPromise: (v) => v instanceof Promise, isNativeError: (v) => tagOf(v) === "Error" && v instanceof Error,
    isTypedArray: (v) => ArrayBuffer.isView(v) && !(v instanceof DataView), isArrayBufferView: (v) => ArrayBuffer.isView(v), isDataView: (v) => v instanceof DataView,
    isArrayBuffer: (v) => v instanceof ArrayBuffer, isAnyArrayBuffer: (v) => v instanceof ArrayBuffer || v instanceof SharedArrayBuffer,
    isAsyncFunction: (v) => ["AsyncFunction", "AsyncGeneratorFunction"].includes(tagOf(v)), isGeneratorFunction: (v) => ["GeneratorFunction", "AsyncGeneratorFunction"].includes(tagOf(v)),
    isGeneratorObject: (v) => tagOf(v) === "Generator", isArgumentsObject: (v) => tagOf(v) === "Arguments", isProxy: () => false,
    isNumberObject: isBoxed("Number"), isStringObject: isBoxed("String"), isBooleanObject: isBoxed("Boolean"), isSymbolObject: isBoxed("Symbol"), isBigIntObject: isBoxed("BigInt"),
    isBoxedPrimitive: (v) => Object.keys(boxed).some((name) => isBoxed(name)(v)),
  };
  for (const name of ["Uint8Array", "Uint8ClampedArray", "Uint16Array", "Uint32Array", "Int8Array", "Int16Array", "Int32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"]) {
    types["is" + name] = (v) => v instanceof globalThis[name];
  }

  const { inspect, format } = load("inspect");

  const promisified = Symbol.for("nodejs.util.promisify.custom");
  const promisify = (original) => {
    if (typeof original !== "function") throw Object.assign(new TypeError('The "original" argument must be of type function'), { code: "ERR_INVALID_ARG_TYPE" });
    if (typeof original[promisified] === "function") return original[promisified];
    const made = function (...parts) {
      return new Promise((resolve, reject) => original.call(this, ...parts, (error, value) => (error ? reject(error) : resolve(value))));
    };
    Object.defineProperty(made, "name", { value: original.name, configurable: true });
    return Object.defineProperty(Object.setPrototypeOf(made, Object.getPrototypeOf(original)), promisified, { value: made });
  };
  promisify.custom = promisified;

  const isDeepStrictEqual = (a, b, seen = []) => {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || tagOf(a) !== tagOf(b)) return false;
    if (seen.some(([x, y]) => x === a && y === b)) return true;
    const deeper = seen.concat([[a, b]]);
    const same = (x, y) => isDeepStrictEqual(x, y, deeper);
    if (types.isBoxedPrimitive(a) && !Object.is(a.valueOf(), b.valueOf())) return false;
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
    const put = (key, item) => Object.defineProperty(made, key, { value: item, writable: true, enumerable: true, configurable: true });
    for (const key of Object.keys(value)) if (!shared?.includes(key)) put(key, inner(value[key]));
    for (const key of shared ?? []) if (value[key]) put(key, value[key]);
    return made;
  };

  return {
    types, inspect, format, promisify, isDeepStrictEqual,
    structuredClone: (value) => copy(value, new Map(), true),
    cloneMessage: (value) => copy(value, new Map(), false, ["req", "res"]),
    isArray: Array.isArray,
    isDate: types.isDate, isRegExp: types.isRegExp, isError: types.isNativeError,
    isString: (v) => typeof v === "string", isNumber: (v) => typeof v === "number", isFunction: (v) => typeof v === "function",
    isBoolean: (v) => typeof v === "boolean", isNull: (v) => v === null, isSymbol: (v) => typeof v === "symbol", isBuffer: (v) => load("buffer").Buffer.isBuffer(v),
    isPrimitive: (v) => v === null || (typeof v !== "object" && typeof v !== "function"),
    isObject: (v) => typeof v === "object" && v !== null, isUndefined: (v) => v === undefined, isNullOrUndefined: (v) => v == null,
    inherits(child, parent) { Object.setPrototypeOf(child.prototype, parent.prototype); child.super_ = parent; },
    deprecate: (original) => original,
    formatWithOptions: (options, ...parts) => format(...parts),
    stripVTControlCharacters: (text) => String(text).replace(/[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g, ""),
    toUSVString: (text) => String.prototype.toWellFormed.call(String(text)),
    debuglog: () => Object.assign(() => undefined, { enabled: false }),
    callbackify: (original) => (...parts) => { const callback = parts.pop(); original(...parts).then((value) => callback(null, value), callback); },
    TextEncoder: load("buffer").TextEncoder, TextDecoder: load("buffer").TextDecoder,
  };
})
