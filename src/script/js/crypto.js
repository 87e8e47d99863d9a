// The parts of Node's `crypto` that flows use: hashes, HMAC and random numbers.
(function (host, load) {
  "use strict";
  const { Buffer } = load("buffer");
  const known = { md5: 64, sha1: 64, sha224: 64, sha256: 64, sha384: 128, sha512: 128 };
  const bytesOf = (data, encoding) => {
    if (typeof data === "string") return Buffer.from(data, encoding);
    if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (data instanceof ArrayBuffer) return Buffer.from(data);
    throw Object.assign(new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ' + (data === null || data === undefined ? data : `type ${typeof data} (${String(data)})`)), { code: "ERR_INVALID_ARG_TYPE" });
  };
  const named = (name) => {
    const own = String(name).toLowerCase().replace(/^rsa-/, "").replace("-", "");
    if (!Object.hasOwn(known, own)) throw new Error(`Digest method not supported: ${name}. There are ${Object.keys(known).join(", ")}`);
    return own;
  };
  const digest = (name, bytes) => Buffer.from(host.hash(name, bytes.toString("base64")), "base64");
  class Hash {
    #finish;
    #parts = [];
    #over = false;
    constructor(finish) { this.#finish = finish; }
    update(data, encoding) {
      if (this.#over) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
      this.#parts.push(bytesOf(data, encoding));
      return this;
    }
    digest(encoding) {
      if (this.#over) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
      this.#over = true;
      const made = this.#finish(Buffer.concat(this.#parts));
      return encoding === undefined || encoding === "buffer" ? made : made.toString(encoding);
    }
  }
  const createHash = (algorithm) => { const name = named(algorithm); return new Hash((bytes) => digest(name, bytes)); };
  const createHmac = (algorithm, key) => {
    const name = named(algorithm);
    let own = bytesOf(key);
    if (own.length > known[name]) own = digest(name, own);
    const pad = (value) => { const block = Buffer.alloc(known[name], value); own.forEach((byte, at) => { block[at] = byte ^ value; }); return block; };
    return new Hash((bytes) => digest(name, Buffer.concat([pad(0x5c), digest(name, Buffer.concat([pad(0x36), bytes]))])));
  };
  const randomBytes = (size, callback) => {
    if (typeof size !== "number" || !(size >= 0) || size > 65536 * 16) throw Object.assign(new RangeError(`The value of "size" is out of range. It must be >= 0 and <= ${65536 * 16}. Received ${size}`), { code: "ERR_OUT_OF_RANGE" });
    const made = Buffer.from(host.random(size), "base64");
    if (typeof callback !== "function") return made;
    Promise.resolve().then(() => callback(null, made));
    return undefined;
  };
  const randomInt = (low, high, callback) => {
    if (high === undefined || typeof high === "function") [low, high, callback] = [0, low, high];
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || high <= low || high - low >= 2 ** 48) throw Object.assign(new RangeError(`The value of "max" is out of range. It must be greater than the value of "min" (${low}). Received ${high}`), { code: "ERR_OUT_OF_RANGE" });
    const range = high - low;
    let number;
    do number = randomBytes(6).readUIntBE(0, 6); while (number >= 2 ** 48 - (2 ** 48 % range));
    const made = low + (number % range);
    if (typeof callback !== "function") return made;
    Promise.resolve().then(() => callback(null, made));
    return undefined;
  };
  const getRandomValues = (array) => {
    if (!ArrayBuffer.isView(array) || array instanceof DataView || array.byteLength > 65536) throw Object.assign(new Error("getRandomValues fills an integer array of at most 65536 bytes"), { name: "QuotaExceededError" });
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(randomBytes(array.byteLength));
    return array;
  };
  const timingSafeEqual = (a, b) => {
    if (a.byteLength !== b.byteLength) throw Object.assign(new RangeError("Input buffers must have the same byte length"), { code: "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH" });
    const [own, other] = [bytesOf(a), bytesOf(b)];
    let differ = 0;
    for (let at = 0; at < own.length; at++) differ |= own[at] ^ other[at];
    return differ === 0;
  };
  const randomUUID = () => host.uuid();
  const made = {
    createHash, createHmac, randomBytes, randomInt, randomUUID, getRandomValues, timingSafeEqual,
    hash: (algorithm, data, encoding = "hex") => createHash(algorithm).update(data).digest(encoding),
    getHashes: () => Object.keys(known), webcrypto: { randomUUID, getRandomValues },
  };
  for (const name of ["createCipheriv", "createDecipheriv", "createSign", "createVerify", "generateKeyPair", "generateKeyPairSync", "pbkdf2", "pbkdf2Sync", "scrypt", "scryptSync", "publicEncrypt", "privateDecrypt", "createDiffieHellman"]) {
    made[name] = () => { throw new Error(`crypto.${name} is not offered here: there are hashes, HMAC and random numbers`); };
  }
  return made;
})
