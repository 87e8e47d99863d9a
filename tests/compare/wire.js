// Values as `/tap` writes them: JSON, with a `$t` tag where JSON has no word for it.
"use strict";

const { isDate, isMap, isRegExp, isSet, isArrayBuffer, isNativeError } = require("node:util").types;

const tagged = (tag, v) => ({ $t: tag, v });

/** The value as JSON. */
function encode(value, path = [], above = []) {
  switch (typeof value) {
    case "undefined":
    case "symbol":
      return { $t: "undefined" };
    case "number":
      if (Object.is(value, -0)) return tagged("number", "-0");
      return Number.isFinite(value) ? value : tagged("number", String(value));
    case "bigint":
      return tagged("bigint", value.toString());
    case "function":
      return { $t: "function", name: value.name };
    case "object":
      return value === null ? null : encodeObject(value, path, above);
    default:
      return value;
  }
}

function encodeObject(value, path, above) {
  const ancestor = above.indexOf(value);
  if (ancestor !== -1) {
    const names = path.slice(0, ancestor).map(key => key.replaceAll("~", "~0").replaceAll("/", "~1"));
    return tagged("ref", names.join("/"));
  }
  const inside = (key, child) => encode(child, [...path, String(key)], [...above, value]);
  if (Buffer.isBuffer(value)) return tagged("buffer", value.toString("base64"));
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { $t: "typedarray", kind: value.constructor.name, v: bytes.toString("base64") };
  }
  if (isArrayBuffer(value)) return tagged("arraybuffer", Buffer.from(value).toString("base64"));
  if (isDate(value)) {
    const time = value.getTime();
    return tagged("date", Number.isNaN(time) ? null : time);
  }
  if (isRegExp(value)) return { $t: "regexp", v: value.source, flags: value.flags };
  if (isMap(value)) return tagged("map", [...value].map(([k, v]) => [inside(0, k), inside(1, v)]));
  if (isSet(value)) return tagged("set", [...value].map((v, index) => inside(index, v)));
  if (isNativeError(value) || value instanceof Error) return encodeError(value, inside);
  if (Array.isArray(value)) return Array.from(value, (v, index) => inside(index, v));
  if (isOpaque(value)) return tagged("opaque", value.constructor.name);
  const fields = {};
  for (const key of Object.keys(value)) define(fields, key, inside(key, value[key]));
  return Object.hasOwn(fields, "$t") ? tagged("object", fields) : fields;
}

function encodeError(error, inside) {
  const out = { $t: "error", name: error.name, message: error.message };
  if (error.stack !== undefined) out.stack = error.stack;
  const props = {};
  for (const key of Object.keys(error)) {
    if (key !== "name" && key !== "message" && key !== "stack") define(props, key, inside(key, error[key]));
  }
  if (Object.keys(props).length > 0) out.props = props;
  return out;
}

/** Requests, responses, sockets: objects of the program, not of a message. */
function isOpaque(value) {
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return ["IncomingMessage", "ServerResponse", "Socket", "WebSocket", "Timeout", "Immediate"].includes(name);
}

function define(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The value that `encode` has written. */
function decode(json) {
  const refs = [];
  const root = { value: undefined };
  root.value = read(json, [], refs);
  for (const { names, set } of refs) {
    set(names.reduce((at, name) => at?.[name], root.value));
  }
  return root.value;
}

function read(json, path, refs) {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) {
    const list = [];
    json.forEach((v, index) => put(list, index, v, path, refs));
    return list;
  }
  if (json.$t === undefined) return readFields(json, path, refs);
  const bytes = () => Buffer.from(json.v, "base64");
  switch (json.$t) {
    case "undefined": return undefined;
    case "number": return Number(json.v);
    case "buffer": return bytes();
    case "arraybuffer": return Uint8Array.from(bytes()).buffer;
    case "typedarray": {
      const copy = Uint8Array.from(bytes()).buffer;
      return new globalThis[json.kind](copy);
    }
    case "date": return new Date(json.v === null ? NaN : json.v);
    case "bigint": return BigInt(json.v);
    case "regexp": return new RegExp(json.v, json.flags);
    case "map": return new Map(json.v.map(([k, v]) => [read(k, path, refs), read(v, path, refs)]));
    case "set": return new Set(json.v.map(v => read(v, path, refs)));
    case "error": return readError(json, path, refs);
    case "object": return readFields(json.v, path, refs);
    default: throw new Error(`The value has the unknown tag ${json.$t}`);
  }
}

function readFields(json, path, refs) {
  const object = {};
  for (const key of Object.keys(json)) put(object, key, json[key], path, refs);
  return object;
}

function readError(json, path, refs) {
  const error = new (globalThis[json.name] ?? Error)(json.message);
  if (error.name !== json.name) define(error, "name", json.name);
  if (json.stack !== undefined) error.stack = json.stack;
  return Object.assign(error, readFields(json.props ?? {}, path, refs));
}

function put(into, key, json, path, refs) {
  if (json !== null && typeof json === "object" && json.$t === "ref") {
    const names = json.v === "" ? [] : json.v.split("/").map(n => n.replaceAll("~1", "/").replaceAll("~0", "~"));
    refs.push({ names, set: value => define(into, key, value) });
    return;
  }
  define(into, key, read(json, [...path, key], refs));
}

module.exports = { encode, decode };
