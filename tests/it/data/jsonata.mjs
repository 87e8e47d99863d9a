// Makes jsonata.json: what npm's jsonata says to expressions of all kinds. Run it in a folder where jsonata, moment-timezone
// and, for its changed look-up of properties, Node-RED's own copy stand:
//   node jsonata.mjs <folder of Node-RED's util> > jsonata.json
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";

const from = createRequire(process.argv[2] + "/");
const jsonata = from("./jsonata.js");
const moment = from("moment-timezone");
const input = {
  _msgid: "1", topic: "home/kitchen", payload: {
    temperature: 21.5, on: true, nothing: null, name: "Küche", "set point": 20,
    rooms: [
      { name: "hall", area: 12, sensors: [{ kind: "t", value: 19 }, { kind: "h", value: 40 }] },
      { name: "attic", area: 30.5, sensors: [{ kind: "t", value: 15 }] },
      { name: "cellar", area: 30.5, sensors: [] },
    ],
    numbers: [3, 1, 2, 2], text: "a,b;c", empty: [], nested: [[1, 2], [3]],
  },
};
const expressions = [
  "payload", "payload.temperature", "payload.missing", "payload.nothing", "payload.`set point`", "topic",
  "payload.rooms.name", "payload.rooms[0].name", "payload.rooms[-1].name", "payload.rooms[area > 20].name", "payload.rooms[area > 99]",
  "payload.rooms.sensors.value", "payload.rooms.sensors[kind='t'].value", "payload.rooms[name='hall'].sensors[kind='h'].value[]",
  "payload.rooms.sensors[0].value", "(payload.rooms.sensors)[0].value", "payload.rooms^(>area, name).name", "payload.rooms^(<area).name",
  "payload.numbers", "$sum(payload.numbers)", "$max(payload.numbers) - $min(payload.numbers)", "$average(payload.numbers)", "$count(payload.rooms)",
  "payload.nested", "payload.nested[0]", "payload.empty", "payload.numbers[[0..1]]", "[1..5]", "[1..5][$ % 2 = 0]",
  "payload.rooms{name: area}", "payload.rooms.{\"n\": name, \"a\": area}", "{\"sum\": $sum(payload.rooms.area), \"names\": payload.rooms.name}",
  "payload.rooms.{name: sensors.value}", "payload.rooms{$string(area): name}", "payload.*", "**.value", "payload.rooms.%.name", "payload.rooms.sensors.{\"of\": %.name, \"v\": value}",
  "payload.rooms@$r.sensors@$s.{\"r\": $r.name, \"k\": $s.kind}", "payload.rooms#$i.{\"i\": $i, \"n\": name}",
  "payload.temperature > 20 and payload.on", "payload.on ? 'on' : 'off'", "payload.missing ?: 'default'", "payload.missing ?? 7", "payload.temperature in [21.5, 3]",
  "payload.temperature & ' °C'", "1 / 3", "5 % 3", "-payload.temperature", "0.1 + 0.2", "1e20 & ''", "10000000 * 10000000 * 1000000000",
  "($x := 5; $y := $x * 2; $y + 1)", "($f := function($n){ $n <= 1 ? 1 : $n * $f($n - 1) }; $f(10))", "$map(payload.numbers, function($v, $i){ $v * $i })",
  "$filter(payload.rooms, function($r){ $r.area > 20 }).name", "$reduce(payload.numbers, function($a, $b){ $a + $b }, 10)", "payload.numbers ~> $sum()",
  "$sort(payload.numbers)", "$sort(payload.rooms, function($a, $b){ $a.area > $b.area }).name", "$distinct(payload.numbers)", "$reverse(payload.numbers)", "$zip([1,2],[3,4])",
  "$append([1,2], 3)", "$keys(payload.rooms[0])", "$keys(payload.rooms)", "$lookup(payload, 'set point')", "$spread({\"a\": 1, \"b\": 2})", "$merge([{\"a\": 1}, {\"b\": 2}])", "$each({\"a\": 1, \"b\": 2}, function($v, $k){ $k & '=' & $v })", "$sift({\"a\": 1, \"b\": 2}, function($v){ $v > 1 })", "$single([1,2,3], function($v){ $v = 2 })",
  "$split(payload.text, /[,;]/)", "$replace(payload.text, /([a-c])/, '<$1>')", "$replace('John', 'h', 'hh')", "$match(payload.text, /[a-c]/)", "$contains(payload.text, /B/i)", "$substring(payload.name, 1, 2)", "$substringBefore(topic, '/')", "$substringAfter(topic, '/')", "$uppercase(payload.name)", "$length(payload.name)", "$trim('  a  b ')", "$pad('5', -3, '0')", "$join(['a', 'b'], '+')", "$string(payload.rooms[0])", "$string({\"a\": 1.5}, true)", "$number('0x10') + $number('1.5')", "$eval('payload.temperature * 2')", "$eval('[1,2,3]')",
  "$formatNumber(12345.678, '#,###.00')", "$formatNumber(0.14, '00%')", "$formatBase(255, 16)", "$formatInteger(1999, 'I')", "$formatInteger(2749, 'w')", "$parseInteger('twelve thousand and five', 'w')", "$round(2.5) & $round(3.5) & $round(123.456, 2)", "$power(2, 10) + $sqrt(16) + $floor(2.9) + $ceil(2.1) + $abs(-1)",
  "$boolean([0])", "$not(payload.missing)", "$exists(payload.nothing)", "$type(payload.nothing)", "[1, 'a', true, null].$type($)", "$type(function(){1})",
  "$fromMillis(1510067557121)", "$fromMillis(1510067557121, '[D01]/[M01]/[Y0001] [h#1]:[m01][P]', '-0500')", "$toMillis('2017-11-07T15:12:37.121Z')", "$toMillis('07/11/2017', '[D]/[M]/[Y]')", "$fromMillis(1510067557121, '[FNn], [D1o] [MNn] [YI]')",
  "$base64encode('Küche?')", "$base64decode('aGVsbG8=')", "$encodeUrlComponent('?x=tëst')", "$encodeUrl('https://a.b/?x=tëst')", "$decodeUrlComponent('%3Fx%3Dtest')",
  "payload.rooms[0] ~> |$|{\"size\": area}, [\"sensors\"]|", "$clone(payload.rooms[0]).name", "$moment('2020-02-29T12:00:00Z').utc().add(1, 'year').format('YYYY-MM-DD')", "$moment(1510067557121).tz('America/New_York').format()", "$moment('2020-01-01').isValid()", "$moment(0).utc().toISOString()",
  "msg.payload.temperature", "msg.topic & '!'", "{\"msg\": msg.topic}", "payload.msg", "$env('MISSING')", "$flowContext('missing')",
  "$max([])", "$ ", "$$.topic", "payload.rooms.name[0]", "payload.rooms[0,1].name", "payload.(temperature + 1)", "payload.rooms.(area * 2)", "'a' = 'a' and 1 != 2 and 'a' < 'b'", "[payload.temperature, payload.missing, 3]", "{\"a\": payload.missing, \"b\": null}", "$assert(true, 'x')", "$shuffle([1]) ", "payload.constructor", "payload.__proto__", "payload.rooms.length", "/a+/(\"caat\").match", "{}", "[]", "\"\\u00e9\\n\"", "$reduce([], function($a, $b){$a})", "λ($x){$x}(3)",
  "topic = 'home/kitchen'", "topic != \"home\"", "payload.temperature >= 21.5", "payload.temperature < 21.5", "payload.missing = 1", "payload.missing > 1", "payload.on = true", "payload.on != false", "payload.name > 'A'", "msg.payload.temperature != 3", "payload.temperature.x", "topic.length", "payload.rooms = 1", " payload . temperature ", "payload.nothing.x", "payload.nothing = null", "payload . msg", "topic = 'the msg is'", "payload.name = 'Küche'", "payload.on > true", "payload.temperature < '5'",
  "payload.temperature +", "payload.temperature + 'x'", "$foo(1)", "payload..x", "$sum('a')", "$error('own text')", "$assert(false, 'not so')", "$number('abc')", "{\"a\": 1, 1: 2}", "\"open", "$single([1,2])", "1 < 'a'", "$eval('1 +')", "$toMillis('nonsense')", "[1..1e8]", "payload.rooms^(sensors)", "$x := ", "-'a'", "$sqrt(-1)", "$formatBase(1, 99)", "(1", "a b", "$pad()", "$power(10, 400)", "1 ~> 2", "$substring(1, 2)", "$decodeUrl('%E0%A4%A')",
];

const wire = (value) => {
  if (value === undefined) return { $t: "undefined" };
  if (typeof value === "number" && !Number.isFinite(value)) return { $t: "number", v: String(value) };
  if (Array.isArray(value)) return Array.from(value, wire);
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wire(inner)]));
  return value;
};
const cases = [];
for (const expression of expressions) {
  try {
    const prepared = jsonata(expression);
    prepared.assign("flowContext", () => undefined);
    prepared.assign("env", () => "");
    prepared.assign("moment", (a, b, c, d) => moment(a, b, c, d));
    prepared.registerFunction("clone", structuredClone, "<(oa)-:o>");
    const old = /(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)/.test(expression);
    cases.push({ expression, result: wire(await prepared.evaluate(old ? { msg: input } : input, {})) });
  } catch (error) {
    cases.push({ expression, error: error.message, code: error.code ?? null });
  }
}
writeFileSync(1, JSON.stringify({ input, cases }, null, 1) + "\n");
