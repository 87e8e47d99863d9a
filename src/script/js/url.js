// URL and URLSearchParams. Parsing is native (`host.url`).
(function (host) {
  "use strict";
  const encode = (text) => encodeURIComponent(String.prototype.toWellFormed.call(text)).replace(/%20/g, "+").replace(/[!'()~]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const decode = (text) => {
    const plain = text.replace(/\+/g, " ");
    try { return decodeURIComponent(plain); } catch { return plain; }
  };

  class URLSearchParams {
    #pairs = [];
    #changed = () => {};
    constructor(init = "", changed) {
      if (typeof changed === "function") this.#changed = changed;
      if (typeof init === "object" && init !== null) {
        const pairs = typeof init[Symbol.iterator] === "function" ? Array.from(init) : Object.entries(init);
        this.#pairs = pairs.map(([key, value]) => [String(key), String(value)]);
      } else {
        this.#read(String(init));
      }
    }
    #read(text) {
      this.#pairs = text.replace(/^\?/, "").split("&").filter((part) => part !== "").map((part) => {
        const at = part.indexOf("=");
        return at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
      });
    }
    get size() { return this.#pairs.length; }
    append(key, value) { this.#pairs.push([String(key), String(value)]); this.#changed(); }
    delete(key, value) { this.#pairs = this.#pairs.filter(([own, held]) => own !== String(key) || (value !== undefined && held !== String(value))); this.#changed(); }
    get(key) { return this.#pairs.find(([own]) => own === String(key))?.[1] ?? null; }
    getAll(key) { return this.#pairs.filter(([own]) => own === String(key)).map(([, value]) => value); }
    has(key, value) { return this.#pairs.some(([own, held]) => own === String(key) && (value === undefined || held === String(value))); }
    set(key, value) {
      const at = this.#pairs.findIndex(([own]) => own === String(key));
      if (at < 0) this.#pairs.push([String(key), String(value)]);
      else {
        this.#pairs[at][1] = String(value);
        this.#pairs = this.#pairs.filter(([own], index) => own !== String(key) || index === at);
      }
      this.#changed();
    }
    sort() { this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(); }
    forEach(callback, self) { for (const [key, value] of this.#pairs) callback.call(self, value, key, this); }
    *entries() { for (const [key, value] of this.#pairs) yield [key, value]; }
    *keys() { for (const [key] of this.#pairs) yield key; }
    *values() { for (const [, value] of this.#pairs) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#pairs.map(([key, value]) => encode(key) + "=" + encode(value)).join("&"); }
  }

  class URL {
    #parts;
    #params;
    constructor(text, base) {
      const parts = host.url(String(text), base === undefined ? undefined : String(base));
      if (parts === null) throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input: String(text) });
      this.#parts = parts;
      this.#params = this.#paramsOf();
    }
    static canParse(text, base) { return host.url(String(text), base === undefined ? undefined : String(base)) !== null; }
    #paramsOf() { return new URLSearchParams(this.#parts.search, () => { this.#set("search", this.#params.toString()); }); }
    #set(name, value) {
      const parts = host.urlSet(this.#parts.href, name, String(value));
      if (parts !== null) this.#parts = parts;
    }
    get searchParams() { return this.#params; }
    get search() { return this.#parts.search; }
    set search(value) { this.#set("search", value); this.#params = this.#paramsOf(); }
    get href() { return this.#parts.href; }
    set href(value) {
      const changed = new URL(value);
      this.#parts = changed.#parts;
      this.#params = this.#paramsOf();
    }
    get origin() { return this.#parts.origin; }
    toString() { return this.href; }
    toJSON() { return this.href; }
    static {
      for (const name of ["protocol", "username", "password", "host", "hostname", "port", "pathname", "hash"]) {
        Object.defineProperty(URL.prototype, name, {
          configurable: true, enumerable: true,
          get() { return this.#parts[name]; },
          set(value) { this.#set(name, value); },
        });
      }
    }
  }
  return { URL, URLSearchParams };
})
