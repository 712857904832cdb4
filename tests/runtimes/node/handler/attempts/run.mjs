// Runs attempts one after the other, and says of each what it came to: {ok: evidence} or {error: {...}}.
//
// A line on stderr goes before each attempt: what the shield writes after it belongs to that attempt.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

const SECONDS = 20;
// More than 200 alerts a second are counted instead of written: attempts, of which some cause many, come in batches.
const BATCH = 60;
const here = path.dirname(fileURLToPath(import.meta.url));

export const handler = async ({ attempts }) => {
  const results = {};
  let rest = Promise.resolve();
  for (const [number, { id, section, name, worker }] of attempts.entries()) {
    if (number % BATCH === 0) {
      await rest;
      rest = new Promise((resolve) => setTimeout(resolve, 1100));
    }
    fs.writeSync(2, `attempt ${id}\n`);
    results[id] = await inTime(worker ? inWorker(id, section, name) : attempt(id, section, name));
  }
  fs.writeSync(2, "attempt\n");
  return results;
};

// What an attempt is given: names that are its own, so that whoever looks from outside knows whose deed it was.
const given = (id) => ({ name: id, file: `/tmp/${id}`, host: `${id}.evil.example`, handler: handlerFile() });

export async function attempt(id, section, name) {
  try {
    const { default: functions } = await import(`./${section}.mjs`);
    const value = await functions[name](given(id));
    return { ok: value ?? null };
  } catch (error) {
    return { error: told(error) };
  }
}

function told(error) {
  const { name, code, errno, syscall, message, cause } = error;
  return { name, code, errno, syscall, message, cause: cause && told(cause) };
}

async function inTime(promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ error: { code: "HANGS", message: `no answer in ${SECONDS} s` } }), SECONDS * 1000);
  });
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}

function inWorker(id, section, name) {
  return new Promise((resolve) => {
    const worker = new Worker(path.join(here, "worker.mjs"), { workerData: [id, section, name] });
    worker.once("message", resolve);
    worker.once("error", (error) => resolve({ error: told(error) }));
  }).catch((error) => ({ error: told(error) }));
}

// The file that the runtime loaded for the function, by the rules of the client: module, then .js, .mjs, .cjs.
function handlerFile() {
  const module = process.env._HANDLER.split(".").slice(0, -1).join(".");
  const root = path.join(process.env.LAMBDA_TASK_ROOT, module);
  return [".js", ".mjs", ".cjs"].map((ending) => root + ending).find((file) => fs.existsSync(file));
}
