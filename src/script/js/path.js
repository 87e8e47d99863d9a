// Node's `path`, as on POSIX systems. There is no current folder in a flow: relative paths stand on "/".
(function () {
  "use strict";
  const text = (value) => {
    if (typeof value !== "string") throw Object.assign(new TypeError(`The "path" argument must be of type string. Received ${value === null || value === undefined ? value : `type ${typeof value} (${String(value)})`}`), { code: "ERR_INVALID_ARG_TYPE" });
    return value;
  };
  const tidy = (path, absolute) => {
    const parts = [];
    for (const part of path.split("/")) {
      if (part === "" || part === ".") continue;
      if (part !== "..") parts.push(part);
      else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else if (!absolute) parts.push("..");
    }
    return parts.join("/");
  };
  const isAbsolute = (path) => text(path).startsWith("/");
  const normalize = (path) => {
    if (text(path) === "") return ".";
    const absolute = isAbsolute(path);
    let tidied = tidy(path, absolute);
    if (tidied === "" && !absolute) tidied = ".";
    if (tidied !== "" && path.endsWith("/")) tidied += "/";
    return (absolute ? "/" : "") + tidied;
  };
  const join = (...parts) => {
    const joined = parts.map(text).filter((part) => part !== "").join("/");
    return joined === "" ? "." : normalize(joined);
  };
  const resolve = (...parts) => {
    let path = "";
    for (const part of parts.map(text).reverse()) {
      if (part === "") continue;
      path = path === "" ? part : `${part}/${path}`;
      if (part.startsWith("/")) break;
    }
    return "/" + tidy(path, true);
  };
  const withoutEnd = (path) => path.replace(/(?<=[^/])\/+$/, "");
  const basename = (path, suffix) => {
    const own = withoutEnd(text(path));
    const base = own === "/" || /^\/+$/.test(own) ? "" : own.slice(own.lastIndexOf("/") + 1);
    return suffix !== undefined && base.endsWith(suffix) ? base.slice(0, base.length - suffix.length) : base;
  };
  const dirname = (path) => {
    const own = withoutEnd(text(path));
    const at = own.lastIndexOf("/");
    if (at < 0) return ".";
    return at === 1 && own[0] === "/" ? "//" : /^\/*$/.test(own.slice(0, at)) ? "/" : own.slice(0, at).replace(/\/+$/, "");
  };
  const extname = (path) => {
    const base = basename(path);
    const at = base.lastIndexOf(".");
    return at <= 0 || base === ".." ? "" : base.slice(at);
  };
  const relative = (from, to) => {
    const [a, b] = [resolve(from), resolve(to)].map((path) => path.split("/").filter((part) => part !== ""));
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
  };
  const parse = (path) => {
    const [base, ext] = [basename(path), extname(path)];
    const root = isAbsolute(path) ? "/" : "";
    const dir = path.includes("/") ? dirname(path) : "";
    return { root, dir: base === "" ? root : dir, base, ext, name: ext === "" ? base : base.slice(0, -ext.length) };
  };
  const format = ({ dir, root = "", base, name = "", ext = "" }) => {
    const own = base ?? name + (ext === "" || ext.startsWith(".") ? ext : "." + ext);
    if (!dir) return root + own;
    return dir === root ? dir + own : `${dir}/${own}`;
  };
  const path = { sep: "/", delimiter: ":", isAbsolute, normalize, join, resolve, basename, dirname, extname, relative, parse, format, toNamespacedPath: (own) => own };
  path.posix = path;
  return path;
})
