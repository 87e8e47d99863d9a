// Errors in the words of Node.js, which people know and flows compare. This sees each error when it is made, before anybody
// catches it, and returns its stack as QuickJS writes it.
(function () {
  "use strict";
  const toText = Object.prototype.toString;

  // What takes the place of a sentence that says all there is to say.
  const fixed = {
    "circular reference": "Converting circular structure to JSON",
    "BigInt are forbidden in JSON.stringify": "Do not know how to serialize a BigInt",
    "empty array": "Reduce of empty array with no initial value",
    "cannot convert symbol to string": "Cannot convert a Symbol value to a string",
    "cannot convert symbol to number": "Cannot convert a Symbol value to a number",
    "cannot convert BigInt to number": "Cannot mix BigInt and other types, use explicit conversions",
    "invalid 'instanceof' right operand": "Right-hand side of 'instanceof' is not an object",
    "invalid array length": "Invalid array length",
    "invalid string length": "Invalid string length",
    "Date value is NaN": "Invalid time value",
    "bad normalization form": "The normalization form should be one of NFC, NFD, NFKC, NFKD.",
    "return not in a function": "Illegal return statement",
    "unexpected token in expression: ''": "Unexpected end of input",
    "invalid assignment left-hand side": "Invalid left-hand side in assignment",
    "missing initializer for variable": "Missing initializer in const declaration",
    "break must be inside loop or switch": "Illegal break statement",
    "continue must be inside loop": "Illegal continue statement: no surrounding iteration statement",
    "function name expected": "Function statements require a function name",
    "expecting catch or finally": "Missing catch or finally after try",
    "invalid number literal": "Invalid or unexpected token",
    "unexpected character": "Invalid or unexpected token",
    "unexpected end of string": "Invalid or unexpected token",
    "'super' is only valid in a method": "'super' keyword unexpected here",
    "super() is only valid in a derived class constructor": "'super' keyword unexpected here",
  };
  const digits = {
    toFixed: "toFixed() digits argument must be between 0 and 100",
    toExponential: "toExponential() argument must be between 0 and 100",
    toPrecision: "toPrecision() argument must be between 1 and 100",
  };

  const NAME = /^[A-Za-z_$][\w$]*/;
  const NAME_AT_END = /[A-Za-z_$][\w$]*$/;
  const isKeyword = (word) => /^(?:new|return|typeof|void|await|yield|delete|in|of|case|throw|else|do|instanceof)$/.test(word);

  // Where the bracket at the end of `text` is opened; -1 if it is not.
  const opening = (text) => {
    let depth = 0;
    for (let at = text.length - 1; at >= 0; at -= 1) {
      if (")]}".includes(text[at])) depth += 1;
      else if ("([{".includes(text[at])) { depth -= 1; if (depth === 0) return at; }
    }
    return -1;
  };

  const index = (inner) => {
    const text = inner.trim();
    const quoted = /^(['"])([^'"\\]*)\1$/.exec(text);
    if (quoted) return "." + quoted[2];
    return /^[\w$.]+$/.test(text) ? `[${text}]` : "[...]";
  };

  // The end of `text` as V8 prints an expression, such as `msg.payload.get(...)`; what it has no words for is an intermediate value.
  const ending = (text) => {
    let printed = "";
    let rest = text.trimEnd();
    for (;;) {
      const last = rest.at(-1);
      if (last === ")" || last === "]") {
        const open = opening(rest);
        if (open === -1) return `(intermediate value)${printed}`;
        const before = rest.slice(0, open).trimEnd();
        const word = NAME_AT_END.exec(before)?.[0];
        const follows = (word !== undefined && !isKeyword(word)) || before.endsWith(")") || before.endsWith("]");
        if (!follows) return `(intermediate value)${printed}`;
        printed = (last === ")" ? "(...)" : index(rest.slice(open + 1, -1))) + printed;
        rest = before;
        continue;
      }
      const word = NAME_AT_END.exec(rest)?.[0];
      if (word === undefined) return `(intermediate value)${printed}`;
      const before = rest.slice(0, -word.length).trimEnd();
      if (!before.endsWith(".") || before.endsWith("..")) return word + printed;
      printed = `.${word}${printed}`;
      rest = before.slice(0, before.endsWith("?.") ? -2 : -1).trimEnd();
    }
  };

  // The expression that a frame points at, and what stands around it. QuickJS points at the name that is called or read.
  const expressionAt = (source, line, column) => {
    const lines = source.split("\n");
    if (line < 2 || line > lines.length) return undefined;
    const before = lines.slice(1, line - 1).concat(lines[line - 1].slice(0, column - 1)).join("\n");
    const after = lines[line - 1].slice(column - 1) + "\n" + lines.slice(line, line + 20).join("\n");
    const literal = /^-?\d[\w.]*/.exec(after)?.[0];
    if (literal !== undefined) return { text: literal, after: after.slice(literal.length).trimStart(), before };
    const name = NAME.exec(after)?.[0];
    if (name === undefined || isKeyword(name) || /^(?:async|function|class)$/.test(name)) return { text: undefined, after, before };
    let text = ending(before + name);
    let rest = after.slice(name.length).trimStart();
    // `a[0]()` is pointed at where it begins.
    for (let found; (found = /^\[([^[\]]*)\]|^\.([A-Za-z_$][\w$]*)/.exec(rest)); rest = rest.slice(found[0].length).trimStart()) {
      text += found[1] === undefined ? `.${found[2]}` : index(found[1]);
    }
    // `o[key]()` is pointed at the key.
    if (rest.startsWith("]") && /[\w$)\]]\s*\[(?!\s*\.\.\.)[\w$.\s]*$/.test(before)) {
      text = ending(before + after.slice(0, after.length - rest.length) + "]");
      rest = rest.slice(1).trimStart();
    }
    return { text, after: rest, before: before.trimEnd() };
  };

  // What is no slip: the names that Node-RED and JavaScript give.
  const GIVEN = /^(?:node|flow|global|context|env|RED|console|util|Buffer|Number|String|Boolean|Object|Array|JSON|Math|Date|Promise|BigInt|Symbol|Map|Set|Error|parseInt|parseFloat|isNaN|isFinite|setTimeout|setInterval|setImmediate|encodeURIComponent|decodeURIComponent)\b/;

  // The call that failed. QuickJS tells no place of its own for a call, only the last one within its arguments, so it may be
  // the call there or one around it: it has a name when it can be only one.
  const failedCall = (at) => {
    const candidates = [];
    if (at.text !== undefined && /^[(`]/.test(at.after)) candidates.push([at.text, at.before]);
    // Within the parameters and the body of a function everything is called later.
    for (let rest = at.before, depth = 0, place = rest.length - 1; place >= 0; place -= 1) {
      if (")]}".includes(rest[place])) depth += 1;
      else if ("([{".includes(rest[place])) {
        depth -= 1;
        if (depth >= 0) continue;
        depth = 0;
        if (rest[place] === "{" && /(?:\)|=>|\b(?:else|try|finally|do))\s*$/.test(rest.slice(0, place))) break;
        if (rest[place] !== "(") continue;
        const called = rest.slice(0, place).trimEnd();
        const word = NAME_AT_END.exec(called)?.[0];
        if (word === undefined ? !/[)\]]$/.test(called) : isKeyword(word) || /^(?:if|for|while|switch|catch|with|function)$/.test(word)) continue;
        const text = ending(called);
        candidates.push([text, called.slice(0, -text.length)]);
      } else if (rest[place] === ";" && depth === 0) break;
    }
    const possible = candidates.filter(([text]) => !GIVEN.test(text));
    return possible.length === 1 ? possible[0] : undefined;
  };

  const reworded = (error, sites, sourceOf) => {
    const { message, name } = error;
    if (Object.hasOwn(fixed, message)) return fixed[message];
    if (name === "URIError") return "URI malformed";
    let found;
    if ((found = /^cannot (read|set) property '(.*)' of (undefined|null)$/s.exec(message))) {
      const [, verb, key, of] = found;
      if (key === "Symbol.iterator") return `${of} is not iterable (cannot read property Symbol(Symbol.iterator))`;
      return `Cannot ${verb} properties of ${of} (${verb === "read" ? "reading" : "setting"} '${key}')`;
    }
    if ((found = /^(.*) is not initialized$/s.exec(message)) && name === "ReferenceError") return `Cannot access '${found[1]}' before initialization`;
    if ((found = /^unexpected token in expression: '(.*)'$/s.exec(message))) return `Unexpected token '${found[1]}'`;
    const site = sites[0];
    if (message === "class constructors must be invoked with 'new'") {
      const called = sites.map((one) => one.getFunction()).find((one) => typeof one === "function" && /^class\b/.test(Function.prototype.toString.call(one)));
      return called === undefined ? undefined : `Class constructor ${called.name} cannot be invoked without 'new'`;
    }
    if (message === "invalid number of digits") return digits[site?.getFunctionName()];
    if (message === "regexp must have the 'g' flag") return `String.prototype.${site?.getFunctionName()} called with a non-global RegExp argument`;
    const read = /^'(.*)' is read-only$/s.exec(message);
    const sentence = read ? "read" : message;
    if (!["read", "not a function", "not a constructor", "value is not iterable"].includes(sentence)) return undefined;
    if (site === undefined || site.isNative()) return undefined;
    const source = sourceOf(sites);
    const at = source === undefined ? undefined : expressionAt(source, site.getLineNumber(), site.getColumnNumber());
    if (at === undefined || /(?:^|\.)\w*Error$|^super$/.test(at.text)) return undefined;
    const isRead = at.text !== undefined && !/^[(`]/.test(at.after);
    if (sentence === "read") return isRead && at.text === read[1] ? "Assignment to constant variable." : undefined;
    if (sentence === "value is not iterable") {
      if (!isRead) return undefined;
      const spread = /\.\.\.\s*(?:[\w$.]+\.)?$/.test(at.before) && /\(\s*[^[\]]*$/.test(at.before);
      return spread ? "Spread syntax requires ...iterable[Symbol.iterator] to be a function" : `${at.text} is not iterable`;
    }
    const [text, before] = failedCall(at) ?? [];
    if (text === undefined) return undefined;
    const isNew = sentence === "not a constructor" || /\bnew\s*$/.test(before);
    return `${text} is not a ${isNew ? "constructor" : "function"}`;
  };

  const place = (site) => `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
  const stackOf = (sites) => sites.map((site) => {
    if (site.isNative()) return `    at ${site.getFunctionName() || "<anonymous>"} (native)\n`;
    if (typeof site.getFunction() !== "function") return `    at ${place(site)}\n`;
    return `    at ${site.getFunctionName() || "<anonymous>"} (${place(site)})\n`;
  }).join("");

  return (error, sites, sourceOf) => {
    if (toText.call(error) === "[object Error]") {
      const text = reworded(error, sites, sourceOf);
      if (text !== undefined) Object.defineProperty(error, "message", { value: text, writable: true, configurable: true });
    }
    return stackOf(sites);
  };
})
