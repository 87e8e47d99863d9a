// Node's `os`, as far as a flow may know its machine.
(function (host) {
  "use strict";
  const ask = (name) => () => host.os()[name];
  const os = { EOL: "\n", devNull: "/dev/null", constants: { signals: {}, errno: {} } };
  for (const name of ["type", "platform", "arch", "machine", "hostname", "release", "uptime", "totalmem", "freemem", "loadavg", "homedir", "tmpdir", "endianness"]) os[name] = ask(name);
  os.availableParallelism = ask("cores");
  os.cpus = () => Array.from({ length: host.os().cores }, () => ({ model: "", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }));
  return os;
})
