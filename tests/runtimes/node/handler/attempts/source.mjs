// Every way that Node.js has to read the file that the handler was loaded from. What is looked for is a word in it.
import fs from "node:fs";
import fsp from "node:fs/promises";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { Worker } from "node:worker_threads";

const require = createRequire(import.meta.url);
const WORD = "xylophone";
const holds = (content) => content.toString().includes(WORD);

// Every source of the function's own that a loader is asked for while `work` runs, with what it was given for it.
async function seen(work) {
  const before = Module._extensions[".js"];
  let source = "";
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, file) {
    source += content;
    return compile.call(this, content, file);
  };
  try {
    await work();
  } finally {
    Module.prototype._compile = compile;
    Module._extensions[".js"] = before;
  }
  return holds(source);
}

export default {
  "read-sync": ({ handler }) => holds(fs.readFileSync(handler)),
  "read-text": ({ handler }) => holds(fs.readFileSync(handler, "utf8")),
  "read-promise": async ({ handler }) => holds(await fsp.readFile(handler)),
  "read-buffer-path": ({ handler }) => holds(fs.readFileSync(Buffer.from(handler))),
  "read-relative": ({ handler }) => holds(fs.readFileSync(path.relative(process.cwd(), handler))),
  "read-proc-cwd": ({ handler }) => holds(fs.readFileSync(`/proc/self/cwd/${path.relative("/var/task", handler)}`)),
  "read-proc-root": ({ handler }) => holds(fs.readFileSync(`/proc/self/root${handler}`)),
  "read-stream": async ({ handler }) => holds((await fs.createReadStream(handler, "utf8").toArray()).join("")),
  "read-blob": async ({ handler }) => holds(await (await fs.openAsBlob(handler)).text()),
  "read-map": ({ handler }) => holds(fs.readFileSync(`${handler}.map`)),
  // A device cannot be copied to, which libuv finds out when it has opened both.
  "copy": ({ handler }) =>
    fsp.copyFile(handler, "/dev/null").catch((error) => {
      if (error.code !== "EINVAL") throw error;
    }),
  "extension": async ({ handler }) =>
    seen(() => {
      try {
        Module._extensions[".js"](new Module(handler), handler);
      } catch (error) {
        if (error.code === "EACCES") throw error;
      }
    }),
  "import-again": async ({ handler, name }) => typeof (await import(`${handler}?${name}`)).handler,
  "require-again": ({ handler }) => {
    const loaded = require.cache[handler];
    delete require.cache[handler];
    try {
      return typeof require(handler).handler;
    } finally {
      require.cache[handler] = loaded;
    }
  },
  "worker-of-it": ({ handler }) =>
    new Promise((resolve, reject) => {
      new Worker(handler).on("error", reject).on("exit", (code) => resolve(code));
    }),

  // What goes on working, and what went before the runtime asked for work.
  "while-loading": () => {
    if (!globalThis.readWhileLoading) throw new Error("it was not read");
  },
  "lazy-import": async () => (await import("../lazy/late.mjs")).default,
  "lazy-require": () => require("../lazy/late.cjs"),
  "lazy-json": () => require("../lazy/late.json").late,
  "list": ({ handler }) => fs.readdirSync(path.dirname(handler)).includes(path.basename(handler)),
  "stat": ({ handler }) => fs.statSync(handler).size > 0,
  "stack": () => {
    process.setSourceMapsEnabled(true);
    try {
      return typeof new Error("where").stack;
    } finally {
      process.setSourceMapsEnabled(false);
    }
  },
  // Not stopped: JavaScript keeps the source of what it runs in memory, and gives it to whoever asks.
  "in-memory": async ({ handler }) => {
    const loaded = require.cache[handler]?.exports ?? (await import(handler));
    return loaded.handler.toString().includes("attempts/run.mjs");
  },
};
