// Node's util.inspect and util.format: the same text for the same value.
(function (host, load) {
  "use strict";
  const custom = Symbol.for("nodejs.util.inspect.custom");
  const defaults = { depth: 2, maxArrayLength: 100, maxStringLength: 10000, breakLength: 80, compact: 3, showHidden: false, sorted: false, getters: false, customInspect: true, colors: false };
  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const more = (count, what) => `... ${count} more ${what}${count === 1 ? "" : "s"}`;

  const escapes = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\v": "\\v", "\\": "\\\\" };
  const quote = (text) => {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes("`") && !text.includes("${") ? "`" : "'";
    const inner = text.replace(/[\x00-\x1f\x7f-\x9f\\']|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, (c) => {
      if (c === "'") return mark === "'" ? "\\'" : c;
      if (Object.hasOwn(escapes, c)) return escapes[c];
      const code = c.charCodeAt(0).toString(16).toUpperCase();
      return code.length > 2 ? "\\u" + code : "\\x" + code.padStart(2, "0");
    });
    return mark + inner + mark;
  };
  const keyText = (key, enumerable) => {
    if (typeof key === "symbol") return String(key);
    if (key === "__proto__") return "['__proto__']";
    if (!enumerable) return `[${key}]`;
    return /^[A-Za-z_]\w*$/.test(key) ? key : quote(key);
  };
  const numberText = (value) => (Object.is(value, -0) ? "-0" : String(value));

  const classOf = (value) => {
    for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
      const own = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
      if (typeof own === "function" && own.name !== "" && value instanceof own) return own.name;
    }
    return null;
  };
  const prefixOf = (kind, tag, fallback, size = "") => {
    const shown = tag !== "" && tag !== (kind ?? fallback) ? `[${tag}] ` : "";
    return kind === null ? `[${fallback}${size}: null prototype] ${shown}` : `${kind}${size} ${shown}`;
  };
  const functionText = (value, kind, tag) => {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    if (isClass) {
      const above = Object.getPrototypeOf(value);
      return `[class ${value.name === "" ? "(anonymous)" : value.name}${typeof above === "function" && above.name ? ` extends ${above.name}` : above === null ? " extends null" : ""}]`;
    }
    return `[${tagOf(value)}${kind === null ? " (null prototype)" : ""}${value.name === "" ? " (anonymous)" : `: ${value.name}`}]`;
  };

  class Printer {
    constructor(options) { this.options = options; this.indent = 0; this.above = []; this.deepest = 0; this.circular = new Map(); }

    text(value, level) {
      switch (typeof value) {
        case "string": return this.string(value);
        case "number": return numberText(value);
        case "bigint": return `${value}n`;
        case "object": case "function": if (value !== null) return this.object(value, level);
      }
      return String(value);
    }

    string(value) {
      const { maxStringLength, breakLength } = this.options;
      const most = maxStringLength ?? Infinity;
      const cut = value.length > most ? more(value.length - most, "character") : "";
      const kept = cut === "" ? value : value.slice(0, most);
      if (kept.length > 16 && kept.length > breakLength - this.indent - 4) {
        return kept.split(/(?<=\n)/).map(quote).join(` +\n${" ".repeat(this.indent + 2)}`) + cut;
      }
      return quote(kept) + cut;
    }

    object(value, level) {
      const own = this.options.customInspect ? value[custom] : undefined;
      if (typeof own === "function" && own !== inspect) {
        const depth = this.options.depth === null ? null : this.options.depth - level;
        const answer = own.call(value, depth, { ...this.options, depth, stylize: (text) => String(text) }, inspect);
        if (answer !== value) return typeof answer === "string" ? answer.replaceAll("\n", `\n${" ".repeat(this.indent)}`) : this.text(answer, level);
      }
      if (this.above.includes(value)) {
        if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
        return `[Circular *${this.circular.get(value)}]`;
      }
      return this.raw(value, level);
    }

    keys(value, isList) {
      const { showHidden } = this.options;
      const names = (showHidden ? Object.getOwnPropertyNames(value) : Object.keys(value)).filter((key) => !isList || !/^(0|[1-9]\d*)$/.test(key) && !(Array.isArray(value) && key === "length" && !showHidden));
      return names.concat(Object.getOwnPropertySymbols(value).filter((key) => showHidden || Object.prototype.propertyIsEnumerable.call(value, key)));
    }

    // What of a value is printed: the text before it, its brackets, its parts and its keys; or the whole text.
    shape(value) {
      const kind = classOf(value);
      const { types } = load("util");
      let tag = value[Symbol.toStringTag];
      if (typeof tag !== "string" || Object.hasOwn(value, Symbol.toStringTag)) tag = "";
      const list = (prefix, size, parts) => {
        const keys = this.keys(value, true);
        return size === 0 && keys.length === 0 ? `${prefix}[]` : { base: "", braces: [`${prefix}[`, "]"], parts, keys, isList: true };
      };
      const bag = (prefix, parts, isEmpty) => {
        const keys = this.keys(value, false);
        return isEmpty && keys.length === 0 ? `${prefix}{}` : { base: "", braces: [`${prefix}{`, "}"], parts, keys };
      };
      const based = (base) => {
        const keys = this.keys(value, types.isBoxedPrimitive(value));
        return keys.length === 0 ? base : { base, braces: ["{", "}"], parts: () => [], keys, short: types.isRegExp(value) };
      };
      if (Array.isArray(value)) return list(kind === "Array" && tag === "" ? "" : prefixOf(kind, tag, "Array", `(${value.length})`), value.length, (level) => this.items(value, level));
      if (types.isSet(value)) return bag(prefixOf(kind, tag, "Set", `(${value.size})`), (level) => this.members(Array.from(Set.prototype.values.call(value)), (item) => this.text(item, level)), value.size === 0);
      if (types.isMap(value)) return bag(prefixOf(kind, tag, "Map", `(${value.size})`), (level) => this.members(Array.from(Map.prototype.entries.call(value)), ([key, item]) => `${this.text(key, level)} => ${this.text(item, level)}`), value.size === 0);
      if (types.isTypedArray(value)) return list(prefixOf(kind, tag, tagOf(value), `(${value.length})`), value.length, () => this.members(value, (item) => (typeof item === "bigint" ? `${item}n` : numberText(item)), 0));
      if (tagOf(value) === "Arguments") return list("[Arguments] ", value.length, (level) => this.items(value, level));
      if (typeof value === "function") return based(functionText(value, kind, tag));
      if (types.isRegExp(value)) { const prefix = prefixOf(kind, tag, "RegExp"); return based((prefix === "RegExp " ? "" : prefix) + RegExp.prototype.toString.call(value)); }
      if (types.isDate(value)) { const prefix = prefixOf(kind, tag, "Date"); const time = Date.prototype.getTime.call(value); return based((prefix === "Date " ? "" : prefix) + (Number.isNaN(time) ? "Invalid Date" : Date.prototype.toISOString.call(value))); }
      if (types.isNativeError(value)) return this.error(value);
      if (types.isAnyArrayBuffer(value)) {
        const hex = Array.from(new Uint8Array(value).subarray(0, 50), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
        const rest = value.byteLength > 50 ? ` ${more(value.byteLength - 50, "byte")}` : "";
        return { base: "", braces: [`${prefixOf(kind, tag, "ArrayBuffer")}{`, "}"], parts: () => [`[Uint8Contents]: <${hex}${rest}>`, `[byteLength]: ${value.byteLength}`], keys: this.keys(value, false) };
      }
      if (types.isPromise(value)) return { base: "", braces: [`${prefixOf(kind, tag, "Promise")}{`, "}"], parts: () => ["<pending>"], keys: this.keys(value, false) };
      if (value instanceof WeakSet || value instanceof WeakMap) return `${prefixOf(kind, tag, "WeakMap")}{ <items unknown> }`;
      if (types.isBoxedPrimitive(value)) {
        const inner = value.valueOf();
        const name = typeof inner === "bigint" ? "BigInt" : (typeof inner).replace(/^./, (c) => c.toUpperCase());
        return based(`[${name}${kind !== null && kind !== name ? ` (${kind})` : ""}: ${typeof inner === "string" ? quote(inner) : this.text(inner, 0)}]`);
      }
      return bag(kind === "Object" && tag === "" ? "" : prefixOf(kind, tag, "Object"), () => [], true);
    }

    raw(value, level) {
      const shape = this.shape(value);
      if (typeof shape === "string") return shape;
      const { depth } = this.options;
      if (depth !== null && level > depth) {
        if (shape.short) return shape.base;
        return `[${Array.isArray(value) ? "Array" : prefixOf(classOf(value), "", "Object").slice(0, -1)}]`;
      }
      this.above.push(value);
      this.deepest = level + 1;
      const output = shape.parts(level + 1).concat(shape.keys.map((key) => this.property(value, key, level + 1)));
      this.above.pop();
      if (this.options.sorted && !shape.isList) output.sort(typeof this.options.sorted === "function" ? this.options.sorted : undefined);
      let { base } = shape;
      const reference = this.circular.get(value);
      if (reference !== undefined) base = base === "" ? `<ref *${reference}>` : `<ref *${reference}> ${base}`;
      return this.layout(output, base, shape.braces, shape.isList === true, level + 1, value);
    }

    error(value) {
      const name = value.name === undefined || value.name === null ? "Error" : String(value.name);
      const header = String(value.message) === "" ? name : `${name}: ${value.message}`;
      const stack = typeof value.stack === "string" ? value.stack.replace(/\n$/, "") : "";
      let base = stack === "" ? `[${header}]` : stack.startsWith(name) ? stack : `${header}\n${stack}`;
      if (this.indent > 0) base = base.replaceAll("\n", `\n${" ".repeat(this.indent)}`);
      const keys = this.keys(value, false).filter((key) => !["name", "message", "stack"].includes(key));
      if (Object.hasOwn(value, "cause") && !keys.includes("cause")) keys.push("cause");
      return keys.length === 0 ? base : { base, braces: ["{", "}"], parts: () => [], keys };
    }

    property(value, key, level) {
      const own = Object.getOwnPropertyDescriptor(value, key);
      let text;
      if (own === undefined || "value" in own) {
        this.indent += 2;
        text = this.text(own === undefined ? value[key] : own.value, level);
        this.indent -= 2;
      } else text = own.get ? (own.set ? "[Getter/Setter]" : "[Getter]") : own.set ? "[Setter]" : "undefined";
      return typeof key === "number" ? text : `${keyText(key, own?.enumerable !== false)}: ${text}`;
    }

    items(value, level) {
      const most = Math.min(this.options.maxArrayLength ?? Infinity, value.length);
      const output = [];
      let at = 0;
      while (at < value.length && output.length < most) {
        if (Object.hasOwn(value, at)) { output.push(this.property(value, at++, level)); continue; }
        const start = at;
        while (at < value.length && !Object.hasOwn(value, at)) at++;
        output.push(`<${at - start} empty item${at - start === 1 ? "" : "s"}>`);
      }
      if (at < value.length) output.push(more(value.length - at, "item"));
      return output;
    }

    members(values, print, indent = 2) {
      const most = Math.min(this.options.maxArrayLength ?? Infinity, values.length);
      this.indent += indent;
      const output = Array.from(values.slice(0, most), print);
      this.indent -= indent;
      if (values.length > most) output.push(more(values.length - most, "item"));
      return output;
    }

    // On one line if it is short and not too deep, else one part on each line.
    layout(output, base, braces, isList, level, value) {
      const { compact, breakLength } = this.options;
      const start = base === "" ? braces[0] : `${base} ${braces[0]}`;
      if (compact !== false) {
        const parts = isList && output.length > 6 ? this.grid(output, value) : output;
        if (this.deepest - level < (compact === true ? Infinity : compact) && parts === output) {
          const length = output.reduce((sum, part) => sum + part.length, 2 * output.length + this.indent + braces[0].length + base.length + 10);
          const line = `${start} ${output.join(", ")} ${braces[1]}`;
          if (length <= breakLength && !base.includes("\n") && !output.some((part) => part.includes("\n"))) return line;
        }
        output = parts;
      }
      const lineStart = `\n${" ".repeat(this.indent)}`;
      return `${start}${lineStart}  ${output.join(`,${lineStart}  `)}${lineStart}${braces[1]}`;
    }

    // Many short elements stand in columns.
    grid(output, value) {
      const { maxArrayLength, breakLength, compact } = this.options;
      const hasRest = (maxArrayLength ?? Infinity) < output.length;
      const cells = hasRest ? output.slice(0, -1) : output;
      const widest = Math.max(...cells.map((cell) => cell.length)) + 2;
      const total = cells.reduce((sum, cell) => sum + cell.length + 2, 0);
      if (widest * 3 + this.indent >= breakLength || (total / widest <= 5 && widest > 8)) return output;
      const biased = Math.max(widest - 3 - Math.sqrt(widest - total / output.length), 1);
      const columns = Math.min(Math.round(Math.sqrt(2.5 * biased * cells.length) / biased), Math.floor((breakLength - this.indent) / widest), compact * 4, 15);
      if (columns <= 1) return output;
      const widths = Array.from({ length: columns }, (_, column) => Math.max(0, ...cells.filter((_cell, at) => at % columns === column).map((cell) => cell.length)) + 2);
      const right = output.every((_cell, at) => typeof value[at] === "number" || typeof value[at] === "bigint");
      const rows = [];
      for (let at = 0; at < cells.length; at += columns) {
        const row = cells.slice(at, at + columns);
        rows.push(row.map((cell, column) => {
          const last = column === row.length - 1;
          if (right) return last ? cell.padStart(widths[column] - 2) : `${cell}, `.padStart(widths[column]);
          return last ? cell : `${cell}, `.padEnd(widths[column]);
        }).join(""));
      }
      if (hasRest) rows.push(output.at(-1));
      return rows;
    }
  }

  // `inspect(value, showHidden, depth)` is the old form.
  const inspect = (value, options, third) => {
    const given = typeof options === "object" && options !== null ? options : { ...(options === undefined ? {} : { showHidden: Boolean(options) }), ...(third === undefined ? {} : { depth: third }) };
    const known = Object.fromEntries(Object.entries(given).filter(([, own]) => own !== undefined));
    const all = { ...defaults, ...known };
    if (all.depth === Infinity) all.depth = null;
    return new Printer(all).text(value, 0);
  };
  inspect.custom = custom;
  inspect.defaultOptions = defaults;

  const format = (...all) => {
    if (all.length === 0) return "";
    const [first, ...rest] = all;
    if (typeof first !== "string") return [first, ...rest].map((part) => (typeof part === "string" ? part : inspect(part))).join(" ");
    if (rest.length === 0) return first;
    let at = 0;
    let text = first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === "%%") return "%";
      if (at >= rest.length) return mark;
      const part = rest[at++];
      const whole = (read) => (typeof part === "bigint" ? `${part}n` : typeof part === "symbol" ? "NaN" : numberText(read(part)));
      switch (mark) {
        case "%s":
          if (typeof part === "number") return numberText(part);
          if (typeof part === "bigint") return `${part}n`;
          if (typeof part !== "object" || part === null) return String(part);
          if (Object.hasOwn(part, "toString") || (part.toString !== Object.prototype.toString && part.toString !== Error.prototype.toString && !/^(Array|Object|Date|Map|Set|RegExp)$/.test(classOf(part) ?? "Object"))) return String(part);
          return part instanceof Error ? String(part) : inspect(part, { depth: 0, compact: 3 });
        case "%d": return typeof part === "object" ? numberText(Number(part)) : whole(Number);
        case "%i": return typeof part === "object" ? "NaN" : whole((own) => parseInt(own, 10));
        case "%f": return typeof part === "symbol" ? "NaN" : numberText(parseFloat(part));
        case "%j": try { return JSON.stringify(part); } catch { return "[Circular]"; }
        case "%c": return "";
        case "%O": return inspect(part);
        default: return inspect(part, { showHidden: true, depth: 4 });
      }
    });
    for (; at < rest.length; at++) text += " " + (typeof rest[at] === "string" ? rest[at] : inspect(rest[at]));
    return text;
  };
  return { inspect, format };
})
