// Node's `querystring`.
(function (host, load) {
  "use strict";
  const escape = (text) => encodeURIComponent(String.prototype.toWellFormed.call(String(text)));
  const unescape = (text) => { 
    try { return decodeURIComponent(text); } catch {
      const bytes = text.replace(/%([0-9a-f]{2})/gi, (mark, hex) => String.fromCharCode(parseInt(hex, 16)));
      return load("buffer").Buffer.from(bytes, "latin1").toString();
    }
  };
  const primitive = (value) => (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value)) ? String(value) : "");
  const stringify = (fields, separator, equals, options) => {
    if (typeof fields !== "object" || fields === null) return "";
    const encode = options?.encodeURIComponent ?? escape;
    const pair = (key, value) => encode(key) + (equals || "=") + encode(primitive(value));
    return Object.keys(fields).flatMap((key) => (Array.isArray(fields[key]) ? fields[key].map((value) => pair(key, value)) : [pair(key, fields[key])])).join(separator || "&");
  };
  const parse = (text, separator, equals, options) => {
    const fields = Object.create(null);
    if (typeof text !== "string" || text === "") return fields;
    const decode = (part) => (options?.decodeURIComponent ?? unescape)(part.replace(/\+/g, " "));
    const mark = equals || "=";
    const most = options?.maxKeys ?? 1000;
    for (const part of text.split(separator || "&").slice(0, most > 0 ? most : undefined)) {
      if (part === "") continue;
      const at = part.indexOf(mark);
      const key = decode(at < 0 ? part : part.slice(0, at));
      const value = at < 0 ? "" : decode(part.slice(at + mark.length));
      if (!(key in fields)) fields[key] = value;
      else if (Array.isArray(fields[key])) fields[key].push(value);
      else fields[key] = [fields[key], value];
    }
    return fields;
  };
  return { escape, unescape, stringify, parse, encode: stringify, decode: parse };
})
