// Node's `events`: EventEmitter.
(function (host, load) {
  "use strict";
  function EventEmitter() { listenersOf(this); }
  const all = new WeakMap();
  const listenersOf = (emitter) => {
    if (!all.has(emitter)) all.set(emitter, new Map());
    return all.get(emitter);
  };
  const of = (emitter, event) => listenersOf(emitter).get(event) ?? [];
  const add = (emitter, event, listener, first, once) => {
    if (typeof listener !== "function") throw Object.assign(new TypeError(`The "listener" argument must be of type function. Received ${listener === null ? "null" : "type " + typeof listener}`), { code: "ERR_INVALID_ARG_TYPE" });
    if (listenersOf(emitter).has("newListener")) emitter.emit("newListener", event, listener);
    const entry = { listener, once };
    listenersOf(emitter).set(event, first ? [entry, ...of(emitter, event)] : [...of(emitter, event), entry]);
    return emitter;
  };
  const remove = (emitter, event, gone) => {
    const left = of(emitter, event).filter((entry) => entry !== gone);
    if (left.length === 0) listenersOf(emitter).delete(event);
    else listenersOf(emitter).set(event, left);
    if (listenersOf(emitter).has("removeListener")) emitter.emit("removeListener", event, gone.listener);
  };
  const methods = {
    on(event, listener) { return add(this, event, listener, false, false); },
    once(event, listener) { return add(this, event, listener, false, true); },
    prependListener(event, listener) { return add(this, event, listener, true, false); },
    prependOnceListener(event, listener) { return add(this, event, listener, true, true); },
    off(event, listener) {
      const entry = of(this, event).findLast((own) => own.listener === listener);
      if (entry !== undefined) remove(this, event, entry);
      return this;
    },
    removeAllListeners(event) {
      if (event === undefined) listenersOf(this).clear();
      else listenersOf(this).delete(event);
      return this;
    },
    emit(event, ...parts) {
      const entries = of(this, event);
      if (entries.length === 0 && event === "error") throw parts[0] instanceof Error ? parts[0] : Object.assign(new Error(`Unhandled error. (${load("util").inspect(parts[0])})`), { code: "ERR_UNHANDLED_ERROR", context: parts[0] });
      for (const entry of entries) {
        if (entry.once) remove(this, event, entry);
        entry.listener.apply(this, parts);
      }
      return entries.length > 0;
    },
    listeners(event) { return of(this, event).map((entry) => entry.listener); },
    rawListeners(event) { return of(this, event).map((entry) => entry.listener); },
    listenerCount(event) { return of(this, event).length; },
    eventNames() { return [...listenersOf(this).keys()]; },
    setMaxListeners() { return this; },
    getMaxListeners() { return 10; },
  };
  methods.addListener = methods.on;
  methods.removeListener = methods.off;
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(EventEmitter.prototype, name, { value, writable: true, configurable: true });
  EventEmitter.EventEmitter = EventEmitter;
  EventEmitter.defaultMaxListeners = 10;
  EventEmitter.once = (emitter, event) => new Promise((resolve, reject) => {
    const failed = (error) => { emitter.off(event, came); reject(error); };
    const came = (...parts) => { emitter.off("error", failed); resolve(parts); };
    emitter.once(event, came);
    if (event !== "error") emitter.once("error", failed);
  });
  return EventEmitter;
})
