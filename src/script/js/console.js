// console: what a function prints becomes log records of its node.
(function (host, load) {
  "use strict";
  return (say) => {
    const { format, inspect } = load("util");
    const counts = new Map();
    const started = new Map();
    let indent = "";
    const print = (level) => (...parts) => say(level, indent === "" ? format(...parts) : indent + format(...parts).replaceAll("\n", "\n" + indent));
    const [info, warn, error] = [print(40), print(30), print(20)];
    const since = (label) => {
      const ms = Date.now() - started.get(label);
      return `${label}: ${ms >= 1000 ? (ms / 1000).toFixed(3) + "s" : ms + "ms"}`;
    };
    const known = (label, work) => (started.has(label) ? work() : warn(`No such label '${label}' for console.time()`));
    const table = (rows, columns) => {
      if (typeof rows !== "object" || rows === null) return info(rows);
      const show = (value) => inspect(value, { depth: 0 });
      const entries = rows instanceof Map ? [...rows] : Object.entries(rows);
      const names = [];
      for (const [, row] of entries) {
        if (typeof row === "object" && row !== null) for (const name of Object.keys(row)) if (!names.includes(name)) names.push(name);
      }
      const shown = columns ?? names;
      const plain = entries.some(([, row]) => typeof row !== "object" || row === null);
      const head = ["(index)", ...shown, ...(plain ? ["Values"] : [])];
      const lines = entries.map(([key, row]) => {
        const isObject = typeof row === "object" && row !== null;
        const cells = shown.map((name) => (isObject && Object.hasOwn(row, name) ? show(row[name]) : ""));
        return [String(key), ...cells, ...(plain ? [isObject ? "" : show(row)] : [])];
      });
      const widths = head.map((name, at) => Math.max(name.length, ...lines.map((line) => line[at].length)) + 2);
      const rule = (left, middle, right) => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
      const line = (cells) => "│" + cells.map((cell, at) => " " + cell.padEnd(widths[at] - 1)).join("│") + "│";
      return info([rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...lines.map(line), rule("└", "┴", "┘")].join("\n"));
    };
    return {
      log: info, info, warn, error, debug: print(50), table,
      trace: (...parts) => error("Trace: " + format(...parts)),
      dir: (value, options) => info("%s", inspect(value, options)),
      assert: (condition, ...parts) => { if (!condition) error(parts.length === 0 ? "Assertion failed" : "Assertion failed: " + format(...parts)); },
      count: (label = "default") => { counts.set(label, (counts.get(label) ?? 0) + 1); info(`${label}: ${counts.get(label)}`); },
      countReset: (label = "default") => { counts.delete(label); },
      group: (...parts) => { if (parts.length > 0) info(...parts); indent += "  "; },
      groupEnd: () => { indent = indent.slice(2); },
      time: (label = "default") => { started.set(String(label), Date.now()); },
      timeLog: (label = "default", ...parts) => known(String(label), () => info([since(String(label)), ...parts.map((part) => format(part))].join(" "))),
      timeEnd: (label = "default") => known(String(label), () => { info(since(String(label))); started.delete(String(label)); }),
    };
  };
})
