// A mosquitto of its own for each runtime, for the cases in which `${MQTT}` stands for its port. It lets everybody in,
// but who gives a name must be `user` with the password `secret`.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { delimiter, join } from "node:path";

/** The place where Debian puts it is not in everybody's PATH. */
const PATH = [process.env.PATH, "/usr/sbin"].join(delimiter);
const START_LIMIT = 5000;

/** Whether the broker and its password tool are installed. */
export function hasMosquitto() {
  try {
    execFileSync("sh", ["-c", "command -v mosquitto && command -v mosquitto_passwd"], { env: { PATH }, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Starts one at a free port; returns the port and how to stop it. */
export async function startMosquitto(folder, port) {
  mkdirSync(folder, { recursive: true });
  const [passwords, config] = [join(folder, "passwords"), join(folder, "mosquitto.conf")];
  execFileSync("mosquitto_passwd", ["-b", "-c", passwords, "user", "secret"], { env: { PATH }, stdio: "ignore" });
  // As root it would run as another user, who can't read the passwords.
  const user = process.getuid?.() === 0 ? "user root\n" : "";
  writeFileSync(config, `${user}listener ${port} 127.0.0.1\nallow_anonymous true\npassword_file ${passwords}\n`);
  const child = spawn("mosquitto", ["-c", config], { env: { PATH }, stdio: "ignore" });
  const deadline = Date.now() + START_LIMIT;
  while (!(await answers(port))) {
    if (Date.now() > deadline) throw new Error("mosquitto does not start");
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return () => child.kill("SIGTERM");
}

function answers(port) {
  return new Promise(resolve => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
