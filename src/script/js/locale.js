// Stand-ins for what needs Intl, which QuickJS lacks: English (US) as Node.js prints it, in UTC or the machine's zone.
(function () {
  "use strict";
  const grouped = (value, options = {}) => {
    const number = Number(value);
    if (!Number.isFinite(number)) return Number.isNaN(number) ? "NaN" : number > 0 ? "∞" : "-∞";
    const most = options.maximumFractionDigits ?? Math.max(3, options.minimumFractionDigits ?? 0);
    const least = options.minimumFractionDigits ?? 0;
    let [whole, rest = ""] = Math.abs(number).toFixed(Math.min(most, 100)).split(".");
    while (rest.length > least && rest.endsWith("0")) rest = rest.slice(0, -1);
    if (options.useGrouping !== false) whole = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    const sign = number < 0 || Object.is(number, -0) ? "-" : "";
    return sign + whole + (rest === "" ? "" : "." + rest);
  };
  const parts = (date, utc) => (utc
    ? [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]);
  const two = (number) => String(number).padStart(2, "0");
  const day = ([year, month, date]) => `${month}/${date}/${year}`;
  const time = ([, , , hour, minute, second], options) => (options.hour12 === false
    ? `${two(hour)}:${two(minute)}:${two(second)}`
    : `${hour % 12 === 0 ? 12 : hour % 12}:${two(minute)}:${two(second)} ${hour < 12 ? "AM" : "PM"}`);
  const format = (print) => (date, locale, options = {}) => {
    if (Number.isNaN(date.getTime())) return "Invalid Date";
    return print(parts(date, options.timeZone === "UTC"), options);
  };
  return {
    number: (value, locale, options) => grouped(value, options),
    toLocaleDateString: format((p) => day(p)),
    toLocaleTimeString: format((p, options) => time(p, options)),
    toLocaleString: format((p, options) => `${day(p)}, ${time(p, options)}`),
  };
})
