// The same in Node.js.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";

const CACHE = "/tmp/rates.json";

export const handler = async (event) => {
  const answer = await fetch(`http://${process.env.PROVIDER}/rates`);
  writeFileSync(CACHE, JSON.stringify(await answer.json()));
  const rates = JSON.parse(readFileSync(CACHE, "utf8"));
  if (event.scratch) {
    writeFileSync(`${mkdtempSync("/tmp/job-")}/result.json`, "{}");
  }
  const program = execFileSync("/usr/bin/id", ["-u"], { encoding: "utf8" });
  return { rates, program: /^\d+$/.test(program.trim()) };
};
