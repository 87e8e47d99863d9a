// URL and URLSearchParams. Parsing is native (`host.url`).
(function (host, load) {
  "use strict";
  const encode = (text) => encodeURIComponent(String.prototype.toWellFormed.call(text)).replace(/%20/g, "+").replace(/[!'()~]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const decode = (text) => {
    const plain = text.replace(/\+/g, " ");
    return load("querystring").unescape(plain);
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
      if (parts === undefined) throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input: String(text) });
      this.#parts = parts;
      this.#params = this.#paramsOf();
    }
    static canParse(text, base) { return host.url(String(text), base === undefined ? undefined : String(base)) !== undefined; }
    #paramsOf() { return new URLSearchParams(this.#parts.search, () => { this.#set("search", this.#params.toString()); }); }
    #set(name, value) {
      const parts = host.urlSet(this.#parts.href, name, String(value));
      if (parts !== undefined) this.#parts = parts;
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

  // The old functions, for http-like URLs and plain paths.
  const parse = (text, withQuery) => {
    const none = { protocol: null, slashes: null, auth: null, host: null, port: null, hostname: null, hash: null, search: null, query: null, pathname: null, path: null, href: text };
    const parts = host.url(text);
    if (parts === undefined) {
      const [, pathname, search, hash] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text);
      Object.assign(none, { pathname: pathname || null, search: search ?? null, hash: hash ?? null });
    } else {
      const slashes = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
      Object.assign(none, {
        protocol: parts.protocol, slashes: slashes || null, auth: parts.username === "" ? null : decodeURIComponent(parts.username + (parts.password === "" ? "" : ":" + parts.password)),
        host: parts.host || null, port: parts.port || null, hostname: parts.hostname || null, hash: parts.hash || null, search: parts.search || null, pathname: parts.pathname || null, href: parts.href,
      });
    }
    none.query = none.search === null ? null : none.search.slice(1);
    none.path = none.pathname === null && none.search === null ? null : (none.pathname ?? "") + (none.search ?? "");
    if (withQuery) none.query = load("querystring").parse(none.query ?? "");
    return none;
  };
  const format = (value) => {
    if (typeof value === "string") return parse(value).href;
    if (value instanceof URL) return value.href;
    const { auth, hostname, port, pathname = "", query, hash = "" } = value;
    const protocol = value.protocol ? value.protocol.replace(/:?$/, ":") : "";
    const own = value.host ?? (hostname ? hostname + (port ? ":" + port : "") : "");
    const slashes = value.slashes || (own !== "" && /^(https?|ftp|gopher|file):$/.test(protocol));
    const search = value.search ?? (query && typeof query === "object" && Object.keys(query).length > 0 ? load("querystring").stringify(query) : typeof query === "string" ? query : "");
    const lead = (mark, text) => (text && !text.startsWith(mark) ? mark + text : text ?? "");
    const at = auth ? encodeURIComponent(auth).replace(/%3A/i, ":") + "@" : "";
    return protocol + (slashes ? "//" : "") + (own === "" ? "" : at + own) + (own !== "" ? lead("/", pathname) : pathname) + lead("?", search) + lead("#", hash);
  };
  const resolve = (from, to) => {
    const base = new URL(from, "resolve://");
    const made = new URL(to, base.href);
    return made.protocol === "resolve:" ? made.pathname + made.search + made.hash : made.href;
  };
  const fileURLToPath = (value) => {
    const made = new URL(String(value));
    if (made.protocol !== "file:") throw Object.assign(new TypeError("The URL must be of scheme file"), { code: "ERR_INVALID_URL_SCHEME" });
    return decodeURIComponent(made.pathname);
  };
  const pathToFileURL = (path) => new URL("file://" + encodeURI(load("path").resolve(path)).replace(/\?/g, "%3F").replace(/#/g, "%23"));
  return { URL, URLSearchParams, parse, format, resolve, fileURLToPath, pathToFileURL };
})
