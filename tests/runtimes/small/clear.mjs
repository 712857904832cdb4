import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { writeFile } from "node:fs/promises";

fs.mkdirSync("/tmp/init", { recursive: true });
fs.writeFileSync("/tmp/init/kept", "initialization");

async function make() {
  await writeFile("/tmp/plain", "user");
  fs.renameSync("/tmp/plain", "/tmp/init/moved");
  fs.mkdirSync("/tmp/cache", { recursive: true });
  fs.writeFileSync("/tmp/cache/library", "listed");
  const program = spawnSync("/bin/sh", ["-c", "echo user > /tmp/by-a-program"]);
  if (program.status !== 0) throw new Error(`${program.error} ${program.stderr}`);
}

const look = () => fs.readdirSync("/tmp", { recursive: true });

export async function handler() {
  const before = look();
  await make();
  return { before, after: look() };
}
