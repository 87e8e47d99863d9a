// Buffer as Node.js has it, as far as flows use it: a Uint8Array with methods. Also text encoding and base64.
(function (host) {
  "use strict";
  const Bytes = Uint8Array;
  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const base64 = (bytes) => Bytes.prototype.toBase64.call(bytes);
  const asBuffer = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);

  const encodingOf = (name) => {
    const encoding = String(name ?? "utf8").toLowerCase();
    switch (encoding) {
      case "utf8": case "utf-8": return "utf8";
      case "binary": case "latin1": return "latin1";
      case "ucs2": case "ucs-2": case "utf16le": case "utf-16le": return "utf16le";
      case "hex": case "base64": case "base64url": case "ascii": return encoding;
      default: {
        const error = new TypeError("Unknown encoding: " + name);
        error.code = "ERR_UNKNOWN_ENCODING";
        throw error;
      }
    }
  };

  // As Node.js: what is no base64 character is skipped, and the text ends at the first "=".
  const fromBase64 = (text) => {
    const end = text.indexOf("=");
    let clean = (end < 0 ? text : text.slice(0, end)).replace(/-/g, "+").replace(/_/g, "/").replace(/[^A-Za-z0-9+/]/g, "");
    if (clean.length % 4 === 1) clean = clean.slice(0, -1);
    return Bytes.fromBase64(clean, { lastChunkHandling: "loose" });
  };
  const fromHex = (text) => {
    const valid = /^(?:[0-9a-fA-F]{2})*/.exec(text)[0];
    return Bytes.fromHex(valid);
  };
  const encode = (text, name) => {
    switch (encodingOf(name)) {
      case "utf8": return host.utf8(text);
      case "hex": return fromHex(text);
      case "base64": case "base64url": return fromBase64(text);
      case "utf16le": {
        const bytes = new Bytes(text.length * 2);
        for (let at = 0; at < text.length; at++) { const code = text.charCodeAt(at); bytes[2 * at] = code & 255; bytes[2 * at + 1] = code >> 8; }
        return bytes;
      }
      default: {
        const bytes = new Bytes(text.length);
        for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
        return bytes;
      }
    }
  };
  const characters = (bytes, mask) => {
    let text = "";
    for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at] & mask);
    return text;
  };
  const decode = (bytes, name) => {
    switch (encodingOf(name)) {
      case "utf8": return host.decode(base64(bytes));
      case "hex": return Bytes.prototype.toHex.call(bytes);
      case "base64": return base64(bytes);
      case "base64url": return base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
      case "ascii": return characters(bytes, 127);
      case "latin1": return characters(bytes, 255);
      default: {
        let text = "";
        for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
        return text;
      }
    }
  };

  const typeError = (name, type, value) => {
    const shown = value === null || value === undefined ? String(value) : typeof value === "object" ? "an instance of " + (value.constructor?.name ?? "Object") : typeof value === "function" ? "function " + value.name : `type ${typeof value} (${typeof value === "string" ? `'${value}'` : String(value)})`;
    return Object.assign(new TypeError(`The ${name} must be ${type}. Received ${shown}`), { code: "ERR_INVALID_ARG_TYPE" });
  };
  const rangeError = (name, value, range) => {
    const error = new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${value}`);
    error.code = "ERR_OUT_OF_RANGE";
    return error;
  };

  const mustBeBytes = (value, name) => { if (!(value instanceof Bytes)) throw typeError(`"${name}" argument`, "an instance of Buffer or Uint8Array", value); };

  class Buffer extends Bytes {
    static from(value, second, third) {
      if (typeof value === "string") return asBuffer(encode(value, second));
      if (value instanceof ArrayBuffer) return asBuffer(new Bytes(value, second, third));
      if (ArrayBuffer.isView(value)) return asBuffer(new Bytes(value));
      if (value !== null && typeof value === "object") {
        const primitive = value.valueOf();
        if (primitive !== value && primitive !== null && (typeof primitive === "string" || typeof primitive === "object")) return Buffer.from(primitive, second, third);
        if (value.type === "Buffer" && Array.isArray(value.data)) return asBuffer(new Bytes(value.data));
        if (typeof value.length === "number") return asBuffer(new Bytes(Array.from(value)));
      }
      throw typeError("first argument", "of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object", value);
    }
    static of(...values) { return asBuffer(new Bytes(values)); }
    static alloc(size, fill, encoding) {
      if (typeof size !== "number") throw typeError('"size" argument', "of type number", size);
      if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) throw rangeError("size", size, `>= 0 && <= ${Number.MAX_SAFE_INTEGER}`);
      const buffer = asBuffer(new Bytes(size));
      return fill === undefined || fill === 0 ? buffer : buffer.fill(fill, encoding);
    }
    static allocUnsafe(size) { return Buffer.alloc(size); }
    static allocUnsafeSlow(size) { return Buffer.alloc(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static isEncoding(name) { try { return typeof name === "string" && encodingOf(name) !== ""; } catch { return false; } }
    static byteLength(value, encoding) {
      if (typeof value === "string") return encode(value, encoding).length;
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
      throw typeError('"string" argument', "of type string or an instance of Buffer or ArrayBuffer", value);
    }
    static compare(a, b) {
      const shared = Math.min(a.length, b.length);
      for (let at = 0; at < shared; at++) if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
      return Math.sign(a.length - b.length);
    }
    static concat(list, total) {
      if (!Array.isArray(list)) throw typeError('"list" argument', "an instance of Array", list);
      list.forEach((part, at) => mustBeBytes(part, `list[${at}]`));
      const length = total ?? list.reduce((sum, part) => sum + part.length, 0);
      const joined = asBuffer(new Bytes(length));
      let at = 0;
      for (const part of list) {
        if (at >= length) break;
        joined.set(part.length > length - at ? part.subarray(0, length - at) : part, at);
        at += part.length;
      }
      return joined;
    }

    [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
      const hex = Array.from(Bytes.prototype.subarray.call(this, 0, 50), (byte) => byte.toString(16).padStart(2, "0"));
      if (this.length > 50) hex.push(`... ${this.length - 50} more byte${this.length > 51 ? "s" : ""}`);
      const own = Object.keys(this).filter((key) => !/^\d+$/.test(key)).map((key) => `${key}: ${inspect(this[key], options)}`);
      return `<Buffer ${hex.join(" ")}${own.length === 0 ? "" : ", " + own.join(", ")}>`;
    }
    get parent() { return this.buffer; }
    toString(encoding, start, end) {
      if (start === undefined && end === undefined) return decode(this, encoding);
      return decode(Bytes.prototype.subarray.call(this, Math.max(0, start ?? 0), end), encoding);
    }
    toLocaleString(encoding, start, end) { return this.toString(encoding, start, end); }
    toJSON() { return { type: "Buffer", data: Array.from(this) }; }
    equals(other) { mustBeBytes(other, "otherBuffer"); return Buffer.compare(this, other) === 0; }
    compare(other, from, to, ownFrom, ownTo) { return Buffer.compare(this.subarray(ownFrom ?? 0, ownTo), other.subarray(from ?? 0, to)); }
    // Both share the memory.
    subarray(start, end) { return asBuffer(new Bytes(this.buffer, ...placed(this, start, end))); }
    slice(start, end) { return this.subarray(start, end); }
    copy(target, at = 0, start = 0, end = this.length) {
      if (at >= target.length || start >= end) return 0;
      const part = Bytes.prototype.subarray.call(this, start, Math.min(end, start + Math.max(0, target.length - at)));
      Bytes.prototype.set.call(target, part, at);
      return part.length;
    }
    fill(value, start, end, encoding) {
      if (typeof start === "string") [start, end, encoding] = [undefined, undefined, start];
      else if (typeof end === "string") [end, encoding] = [undefined, end];
      if (typeof value === "number" || typeof value === "boolean") return Bytes.prototype.fill.call(this, value, start, end);
      const pattern = typeof value === "string" ? encode(value, encoding) : value ?? [0];
      const last = end ?? this.length;
      for (let at = start ?? 0; at < last; at++) this[at] = pattern.length === 0 ? 0 : pattern[(at - (start ?? 0)) % pattern.length];
      return this;
    }
    write(text, at, length, encoding) {
      if (typeof at === "string") [at, length, encoding] = [0, undefined, at];
      else if (typeof length === "string") [length, encoding] = [undefined, length];
      if (typeof text !== "string") throw typeError('"string" argument', "of type string", text);
      if ((at ?? 0) < 0 || (at ?? 0) > this.length) throw rangeError("offset", at, `>= 0 && <= ${this.length}`);
      const bytes = encode(text, encoding);
      let count = Math.min(bytes.length, length ?? bytes.length, this.length - (at ?? 0));
      // No half characters.
      if (count < bytes.length && encodingOf(encoding) === "utf8") while (count > 0 && (bytes[count] & 0xc0) === 0x80) count--;
      if (encodingOf(encoding) === "utf16le") count -= count % 2;
      Bytes.prototype.set.call(this, bytes.subarray(0, count), at ?? 0);
      return count;
    }
    indexOf(value, from, encoding) { return find(this, value, from, encoding, 1); }
    lastIndexOf(value, from, encoding) { return find(this, value, from, encoding, -1); }
    includes(value, from, encoding) { return this.indexOf(value, from, encoding) >= 0; }
    readUIntBE(at, size) { checkAt(this, at, size); let value = 0; for (let n = 0; n < size; n++) value = value * 256 + this[at + n]; return value; }
    readUIntLE(at, size) { checkAt(this, at, size); let value = 0; for (let n = size; n-- > 0;) value = value * 256 + this[at + n]; return value; }
    readIntBE(at, size) { return signed(this.readUIntBE(at, size), size); }
    readIntLE(at, size) { return signed(this.readUIntLE(at, size), size); }
    writeUIntBE(value, at, size) { checkValue(value, size, false); checkAt(this, at, size); for (let n = size; n-- > 0;) { this[at + n] = value; value = Math.floor(value / 256); } return at + size; }
    writeUIntLE(value, at, size) { checkValue(value, size, false); checkAt(this, at, size); for (let n = 0; n < size; n++) { this[at + n] = value; value = Math.floor(value / 256); } return at + size; }
    writeIntBE(value, at, size) { checkValue(value, size, true); return this.writeUIntBE(value < 0 ? value + 256 ** size : value, at, size); }
    writeIntLE(value, at, size) { checkValue(value, size, true); return this.writeUIntLE(value < 0 ? value + 256 ** size : value, at, size); }
    swap16() { return swap(this, 2); }
    swap32() { return swap(this, 4); }
    swap64() { return swap(this, 8); }
  }

  const placed = (buffer, start, end) => {
    const length = buffer.length;
    const clamp = (value, otherwise) => {
      if (value === undefined) return otherwise;
      const number = Math.trunc(Number(value)) || 0;
      return number < 0 ? Math.max(0, length + number) : Math.min(number, length);
    };
    const from = clamp(start, 0);
    return [buffer.byteOffset + from, Math.max(0, clamp(end, length) - from)];
  };
  const signed = (value, size) => (value >= 256 ** size / 2 ? value - 256 ** size : value);
  const checkAt = (buffer, at, size) => {
    const last = buffer.length - size;
    if (Number.isInteger(at) && at >= 0 && at <= last) return;
    if (typeof at !== "number") throw typeError('"offset" argument', "of type number", at);
    if (!Number.isInteger(at)) throw rangeError("offset", at, "an integer");
    if (last < 0) throw Object.assign(new RangeError("Attempt to access memory outside buffer bounds"), { code: "ERR_BUFFER_OUT_OF_BOUNDS" });
    throw rangeError("offset", at, `>= 0 and <= ${last}`);
  };
  const checkValue = (value, size, isSigned) => {
    const bits = size * 8;
    const [low, high] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    if (!(value < low || value > high)) return;
    if (size <= 4) throw rangeError("value", value, `>= ${low} and <= ${high}`);
    throw rangeError("value", value, isSigned ? `>= -(2 ** ${bits - 1}) and < 2 ** ${bits - 1}` : `>= 0 and < 2 ** ${bits}`);
  };
  const swap = (buffer, size) => {
    if (buffer.length % size !== 0) throw Object.assign(new RangeError(`Buffer size must be a multiple of ${size * 8}-bits`), { code: "ERR_INVALID_BUFFER_SIZE" });
    for (let at = 0; at < buffer.length; at += size) Bytes.prototype.subarray.call(buffer, at, at + size).reverse();
    return buffer;
  };
  const find = (buffer, value, from, encoding, step) => {
    if (typeof from === "string") [from, encoding] = [undefined, from];
    if (typeof value !== "number" && typeof value !== "string" && !(value instanceof Bytes)) throw typeError('"value" argument', "one of type number or string or an instance of Buffer or Uint8Array", value);
    const pattern = typeof value === "number" ? [value & 255] : typeof value === "string" ? encode(value, encoding) : value;
    if (pattern.length === 0 && step > 0) return Math.min(Math.max(0, (from ?? 0) < 0 ? buffer.length + from : from ?? 0), buffer.length);
    let at = from ?? (step > 0 ? 0 : buffer.length);
    if (at < 0) at = Math.max(step > 0 ? 0 : -1, buffer.length + at);
    at = Math.min(at, buffer.length - pattern.length);
    if (step > 0 && (from ?? 0) > buffer.length - pattern.length) return -1;
    for (; at >= 0 && at + pattern.length <= buffer.length; at += step) {
      let same = 0;
      while (same < pattern.length && buffer[at + same] === pattern[same]) same++;
      if (same === pattern.length) return at;
    }
    return -1;
  };

  // readInt16BE and its kin; UInt and Uint are both good.
  const numbers = { Int8: 1, UInt8: 1, Int16: 2, UInt16: 2, Int32: 4, UInt32: 4, Float: 4, Double: 8, BigInt64: 8, BigUInt64: 8 };
  for (const [name, size] of Object.entries(numbers)) {
    const native = name.replace("Float", "Float32").replace("Double", "Float64").replace("UInt", "Uint");
    for (const order of size === 1 ? [""] : ["LE", "BE"]) {
      const checked = size <= 4 && name !== "Float";
      const read = function (at = 0) { checkAt(this, at, size); return view(this)["get" + native](at, order === "LE"); };
      const write = function (value, at = 0) {
        if (checked) checkValue(value, size, !name.startsWith("U"));
        checkAt(this, at, size);
        view(this)["set" + native](at, value, order === "LE");
        return at + size;
      };
      for (const alias of new Set([name, name.replace("UInt", "Uint")])) {
        for (const [method, value] of [["read" + alias + order, read], ["write" + alias + order, write]]) {
          Object.defineProperty(Buffer.prototype, method, { value, writable: true, configurable: true });
        }
      }
    }
  }
  for (const method of ["readUIntBE", "readUIntLE", "writeUIntBE", "writeUIntLE"]) {
    Object.defineProperty(Buffer.prototype, method.replace("UInt", "Uint"), { value: Buffer.prototype[method], writable: true, configurable: true });
  }
  // `new Buffer(…)` and `Buffer(…)` of old flows.
  const Callable = new Proxy(Buffer, {
    apply: (target, self, [value, ...rest]) => (typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, ...rest)),
    construct: (target, [value, ...rest], newTarget) => {
      if (newTarget !== Callable) return Reflect.construct(target, [value, ...rest], newTarget);
      return typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, ...rest);
    },
  });
  Object.defineProperty(Buffer.prototype, "constructor", { value: Callable, writable: true, configurable: true });

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(text = "") { return host.utf8(String(text)); }
  }
  class TextDecoder {
    #encoding;
    constructor(label = "utf-8") { this.#encoding = encodingOf(label === "iso-8859-1" || label === "windows-1252" ? "latin1" : label); }
    get encoding() { return this.#encoding === "utf8" ? "utf-8" : this.#encoding; }
    decode(input) {
      if (input === undefined) return "";
      const bytes = input instanceof ArrayBuffer ? new Bytes(input) : new Bytes(input.buffer, input.byteOffset, input.byteLength);
      return decode(bytes, this.#encoding).replace(/^\uFEFF/, "");
    }
  }
  const refuse = (text) => { throw Object.assign(new Error(text), { name: "InvalidCharacterError" }); };
  const btoa = (text) => {
    const own = String(text);
    for (let at = 0; at < own.length; at++) if (own.charCodeAt(at) > 255) refuse("Invalid character");
    return base64(encode(own, "latin1"));
  };
  const atob = (text) => {
    const own = String(text).replace(/[\t\n\f\r ]/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(own) || own.replace(/=+$/, "").length % 4 === 1) refuse("The string to be decoded is not correctly encoded.");
    return characters(fromBase64(own), 255);
  };
  return { Buffer: Callable, TextEncoder, TextDecoder, atob, btoa, constants: { MAX_LENGTH: 2 ** 53 - 1, MAX_STRING_LENGTH: 2 ** 29 - 24 }, kMaxLength: 2 ** 53 - 1 };
})
