// What one runtime told, as something that can be compared: the events of each node in the order in which they came,
// without what has to differ (random ids, times, stacks).

/** A random id: 16 hex digits, or 28 of a link call, alone or within a longer text. */
const RANDOM_ID = /\b(?:[0-9a-f]{16}|[0-9a-f]{28})\b/g;
const WARN = 30;
const MINUTE = 60_000;

/**
 * The events of a case by stream, e.g. `switch1 send`.
 * @param {object[]} events what came from `/tap`
 * @param {{given: string, folder: string, rules: object[], start: number, mqttPort: number}} about
 *   the case as text (ids that stand in it are not random), the runtime's folder, texts that may differ, when it began,
 *   the port of its MQTT broker
 */
export function streams(events, about) {
  const found = new Map();
  const add = (node, kind, what) => {
    const name = `${node} ${kind}`;
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(what);
  };
  for (const event of events) {
    switch (event.ev) {
      case "send":
        add(event.node, "send", { port: event.port, to: event.to, msg: event.msg });
        break;
      case "input":
        add(event.node, "input", event.msg);
        break;
      case "done":
        add(event.node, "done", { msgid: event.msgid ?? null, ...(event.error && { error: event.error }) });
        break;
      case "call":
        if (event.method === "status") add(event.node, "status", event.args[0]);
        else if (!["debug", "trace"].includes(event.method)) add(event.node, "says", { [event.method]: event.args });
        break;
      case "log":
        if (event.rec.level <= WARN) add(event.rec.id ?? "runtime", "log", { level: event.rec.level, msg: event.rec.msg });
        break;
      case "debug":
        add(event.data.id ?? "runtime", "debug", shown(event.data));
        break;
      case "asked":
        add(event.what, "asked", event.values);
        break;
    }
  }
  const names = [...found.keys()].sort();
  const clean = cleaner(about);
  return new Map(names.map(name => [name, found.get(name).map(clean)]));
}

/** The panel gets structures as JSON text. The length of a record's text is no matter, for the words may be our own. */
function shown({ msg, format, ...more }) {
  const text = typeof msg === "string" ? msg.replace(/,"stack":"(?:[^"\\]|\\.)*"/g, "") : msg;
  return { ...more, msg: text, format: more.level === undefined ? format : format.replace(/^string\[\d+\]$/, "string") };
}

function cleaner({ given, folder, rules, start, mqttPort }) {
  const ids = new Map();
  const end = Date.now() + MINUTE;
  const isNow = number => number > start - MINUTE && number < end;
  const text = original => {
    let out = original.replaceAll(folder, "${DIR}");
    // Not within a longer row of digits.
    if (mqttPort) out = out.replace(new RegExp(`(?<!\\d)${mqttPort}(?!\\d)`, "g"), "$${MQTT}");
    for (const { text, as } of rules) out = out.replace(new RegExp(text, "g"), as);
    return out.replace(RANDOM_ID, id => {
      if (given.includes(id)) return id;
      if (!ids.has(id)) ids.set(id, `<id ${ids.size + 1}>`);
      return ids.get(id);
    });
  };
  const clean = value => {
    if (typeof value === "string") return text(value);
    if (typeof value === "number") return isNow(value) ? "<now>" : value;
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(clean);
    const out = {};
    for (const [key, inner] of Object.entries(value)) {
      if (key !== "stack") out[text(key)] = clean(inner);
    }
    return out;
  };
  return clean;
}

/** The first difference between two sets of streams; null if there is none. */
export function difference(flowrill, nodeRed, tolerated) {
  const names = [...new Set([...flowrill.keys(), ...nodeRed.keys()])].sort(bySource);
  for (const name of names) {
    // The panel gets what the log gets.
    const isTolerated = stream => tolerated.some(pattern => new RegExp(`^(?:${pattern})$`).test(stream));
    if (isTolerated(name) || isTolerated(name.replace(/ debug$/, " log"))) continue;
    const [ours, theirs] = [flowrill.get(name) ?? [], nodeRed.get(name) ?? []];
    for (let place = 0; place < Math.max(ours.length, theirs.length); place++) {
      const where = equal(ours[place], theirs[place]);
      if (where !== null) {
        return { stream: name, place, where, flowrill: ours[place], nodeRed: theirs[place] };
      }
    }
  }
  return null;
}

/** What a node did explains what others got: it comes first. */
const KINDS = ["log", "says", "debug", "status", "send", "done", "asked", "input"];

function bySource(one, other) {
  const kind = name => KINDS.indexOf(name.slice(name.lastIndexOf(" ") + 1));
  return kind(one) - kind(other) || (one < other ? -1 : 1);
}

/** Null if the values are equal, else the path to the first difference. The order of keys does not count. */
function equal(one, other, path = "") {
  if (one === other) return null;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return path || ".";
  if (Array.isArray(one) !== Array.isArray(other)) return path || ".";
  const [ours, theirs] = [Object.keys(one), Object.keys(other)];
  for (const key of new Set([...ours, ...theirs])) {
    const found = Object.hasOwn(one, key) && Object.hasOwn(other, key)
      ? equal(one[key], other[key], `${path}.${key}`)
      : `${path}.${key}`;
    if (found !== null) return found;
  }
  return null;
}
