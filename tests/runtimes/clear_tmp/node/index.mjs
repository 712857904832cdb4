import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";

mkdirSync("/tmp/init", { recursive: true });
writeFileSync("/tmp/init/kept", "initialization");

async function make() {
  writeFileSync("/tmp/sync", "user");
  await writeFile("/tmp/init/async", "user");
  writeFileSync(`${mkdtempSync("/tmp/folder-")}/file`, "user");
  writeFileSync(`${await mkdtemp("/tmp/folder-")}/file`, "user");
  appendFileSync("/tmp/appended", "user");
  writeFileSync("/tmp/moved", "user");
  renameSync("/tmp/moved", "/tmp/init/moved");
  linkSync("/tmp/sync", "/tmp/linked");
  symlinkSync("/tmp/init", "/tmp/symbolic");
  cpSync("/tmp/init", "/tmp/copied", { recursive: true });
  mkdirSync("/tmp/cache", { recursive: true });
  writeFileSync("/tmp/cache/library", "listed");
  const program = spawnSync("/bin/sh", ["-c", "echo user > /tmp/by-a-program"]);
  if (program.status !== 0) throw new Error(`${program.error} ${program.stderr}`);
  await new Promise((resolve, reject) => {
    const code = "require('node:fs').writeFileSync('/tmp/by-a-worker', 'user')";
    new Worker(code, { eval: true }).on("exit", resolve).on("error", reject);
  });
}

export async function handler(event) {
  const before = readdirSync("/tmp", { recursive: true }).sort();
  if (event.make) await make();
  return { before, after: readdirSync("/tmp", { recursive: true }).sort() };
}
