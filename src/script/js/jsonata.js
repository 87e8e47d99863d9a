// JSONata as Node-RED prepares it: one per expression context. `host` is the native half; `kit` is the table through which
// native code reaches these functions (its indices stand in jsonata/runtime.rs).
(function (host, kit) {
  "use strict";
  // Expressions that name `msg` come from the time before JSONata worked on the message itself.
  const OLD_STYLE = /(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)/;
  const runs = [];
  const prepared = [];
  let direct, waiting, clock;
  // What jsonata asks the global object for, in the way in which it does: `new global.Buffer.from(…)`.
  const global = { Buffer: { from: function (text, encoding) { return Buffer.from(text, encoding); } } };

  const moment = () => {
    if (clock !== undefined) return clock;
    const made = host.library("moment", {});
    // Zones are a big table that few expressions need.
    for (const place of [made, made.fn]) {
      Object.defineProperty(place, "tz", {
        configurable: true,
        get() {
          for (const other of [made, made.fn]) delete other.tz;
          host.library("moment-timezone", {}, made);
          return place.tz;
        },
      });
    }
    return (clock = made);
  };

  const stored = (scope) => (key, store) => {
    const one = (name) => {
      if (typeof name !== "string" || name === "") throw new Error("Invalid context key");
      return typeof store === "string" ? host.get(scope, name, store) : host.get(scope, name);
    };
    return Array.isArray(key) ? Array.from(key, one) : one(key);
  };
  const functions = {
    flowContext: stored(1),
    globalContext: stored(2),
    env: (name) => host.env(String(name)),
    moment: (a, b, c, d) => moment()(a, b, c, d),
  };

  const prepare = (library, source) => {
    const expression = library(source);
    for (const name of Object.keys(functions)) expression.assign(name, functions[name]);
    expression.registerFunction("clone", (value) => RED.util.cloneMessage(value), "<(oa)-:o>");
    return expression;
  };
  const inputOf = (source) => (OLD_STYLE.test(source) ? (input) => ({ msg: input }) : (input) => input);

  const compile = (slot, source) => {
    const expression = prepare((direct ??= host.library("jsonata", global)), source);
    const from = inputOf(source);
    prepared[slot] = { source, expression, from };
    runs[slot] = (input, bindings) => expression.evaluate(from(input), bindings);
  };

  // The same with promises: each wait gives the stack back, so that recursion may go as deep as the memory reaches.
  const evaluateDeep = (slot, input, bindings) => {
    const own = prepared[slot];
    own.deep ??= prepare((waiting ??= host.library("jsonata-waiting", global)), own.source);
    const outcome = {};
    own.deep.evaluate(own.from(input), bindings).then(
      (value) => { outcome.value = value; outcome.settled = true; },
      (error) => { outcome.error = error; outcome.failed = true; outcome.settled = true; },
    );
    return outcome;
  };

  // A property of the input that costs something to make is made when an expression looks at it.
  let made = [];
  const defer = (object, key, evaluation) => {
    Object.defineProperty(object, key, {
      configurable: true,
      enumerable: true,
      get() {
        const value = host.part(evaluation, key, object);
        Object.defineProperty(object, key, { value, writable: true });
        made.push(key, value);
        return value;
      },
    });
  };
  const takeMade = () => { const all = made; made = []; return all; };

  const drop = (slot) => { delete runs[slot]; delete prepared[slot]; };
  const formatDate = (time, format) => moment()(time).format(format);

  kit.push(runs, compile, evaluateDeep, drop, formatDate, defer, takeMade);
})
