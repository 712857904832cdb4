// Each option of child_process, by a row: the listed program starts and ends with 7 if it was started as it was asked to.
import { exec, execFile, execFileSync, execSync, spawn, spawnSync } from "node:child_process";
import { openSync } from "node:fs";

const SH = "/bin/sh";
const NULL = ["0", "1", "2"].map((fd) => `test /proc/self/fd/${fd} -ef /dev/null`);
const file = openSync("/dev/null", "r+");
const started = (options = {}, script = "true") =>
  new Promise((resolve) => {
    const child = spawn(SH, ["-c", `${script} && exit 7`], options);
    child.on("error", (error) => resolve(error.code)).on("exit", resolve);
    child.stdin?.end();
  });
const called = (start) => new Promise((resolve) => start((error) => resolve(error?.code ?? 0)));
const tried = async (start) => {
  try {
    return await start();
  } catch (error) {
    return error.status ?? error.code;
  }
};

const ROWS = {
  "defaults": () => started(),
  "pipe": () => started({ stdio: "pipe" }),
  "overlapped": () => started({ stdio: "overlapped" }),
  "inherit": () => started({ stdio: "inherit" }),
  "ignore": () => started({ stdio: "ignore" }, NULL.join(" && ")),
  "ignore-stdin": () => started({ stdio: ["ignore", "pipe", "pipe"] }, NULL[0]),
  "ignore-stdout": () => started({ stdio: ["pipe", "ignore", "inherit"] }, NULL[1]),
  "ignore-stderr": () => started({ stdio: ["inherit", "inherit", "ignore"] }, NULL[2]),
  "ignore-fourth": () => started({ stdio: ["ignore", "pipe", "inherit", "ignore", "pipe"] }, NULL[0]),
  "ignore-all-but-ipc": () => started({ stdio: ["ignore", "ignore", "ignore", "ipc"] }, NULL.join(" && ")),
  "descriptor": () => started({ stdio: [file, file, "inherit"] }, NULL[1]),
  "descriptor-and-ignore": () => started({ stdio: [file, "ignore", file] }, NULL.join(" && ")),
  "stream": () => started({ stdio: ["ignore", process.stderr, process.stderr] }, NULL[0]),
  "swapped": () => started({ stdio: [0, 2, 1] }),
  "detached": () => started({ detached: true, stdio: "ignore" }, `test "$(cut -d' ' -f6 /proc/$$/stat)" = $$`),
  "cwd": () => started({ cwd: "/var/task", stdio: "ignore" }, 'test "$PWD" = /var/task'),
  "cwd-of-tmp": () => started({ cwd: "/tmp" }),
  "cwd-missing": () => started({ cwd: "/missing" }),
  "uid": () => started({ uid: process.getuid(), stdio: "ignore" }),
  "gid": () => started({ gid: process.getgid() }),
  "uid-and-gid": () => started({ uid: process.getuid(), gid: process.getgid() }),
  "uid-of-root": () => started({ uid: 0, stdio: "ignore" }),
  "env": () => started({ env: { ONLY: "this" }, stdio: "ignore" }, 'test "$ONLY" = this'),
  "argv0": () => started({ argv0: "other" }, 'test "$0" = other'),
  "shell": () => new Promise((resolve) => spawn("exit 7", { shell: true, stdio: "ignore" }).on("exit", resolve)),
  "exec": () => called((done) => exec("exit 7", done)),
  "exec-options": () => called((done) => exec("exit 7", { cwd: "/var/task", timeout: 60_000, env: {} }, done)),
  "exec-file": () => called((done) => execFile(SH, ["-c", "exit 7"], done)),
  "exec-file-options": () => called((done) => execFile(SH, ["-c", "exit 7"], { uid: process.getuid() }, done)),
  "spawn-sync": () => spawnSync(SH, ["-c", "exit 7"]).status,
  "spawn-sync-ignore": () => spawnSync(SH, ["-c", `${NULL.join(" && ")} && exit 7`], { stdio: "ignore" }).status,
  "spawn-sync-mixed": () => spawnSync(SH, ["-c", `${NULL[0]} && exit 7`], { stdio: ["ignore", "pipe", file] }).status,
  "spawn-sync-input": () => spawnSync(SH, ["-c", "read line; test $line = in && exit 7"], { input: "in\n" }).status,
  "exec-sync-ignore": () => execSync("exit 7", { stdio: "ignore" }),
  "exec-file-sync-ignore": () => execFileSync(SH, ["-c", "exit 7"], { stdio: "ignore" }),
};

export async function handler() {
  const found = {};
  for (const [name, start] of Object.entries(ROWS)) found[name] = await tried(start);
  return found;
}
