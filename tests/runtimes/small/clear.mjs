import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";

fs.mkdirSync("/tmp/init", { recursive: true });
fs.writeFileSync("/tmp/init/kept", "initialization");

async function make() {
  fs.writeFileSync("/tmp/sync", "user");
  await writeFile("/tmp/init/async", "user");
  fs.writeFileSync(`${fs.mkdtempSync("/tmp/folder-")}/file`, "user");
  fs.renameSync("/tmp/init/async", "/tmp/moved");
  fs.linkSync("/tmp/sync", "/tmp/init/linked");
  fs.cpSync("/tmp/init", "/tmp/copied", { recursive: true });
  fs.mkdirSync("/tmp/cache", { recursive: true });
  fs.writeFileSync("/tmp/cache/library", "listed");
  const program = spawnSync("/bin/sh", ["-c", "echo user > /tmp/by-a-program"]);
  if (program.status !== 0) throw new Error(`${program.error} ${program.stderr}`);
  const code = "require('node:fs').writeFileSync('/tmp/by-a-thread', 'user')";
  await new Promise((resolve) => new Worker(code, { eval: true }).on("exit", resolve));
}

const look = () => fs.readdirSync("/tmp", { recursive: true });

export async function handler() {
  const before = look();
  await make();
  return { before, after: look() };
}
