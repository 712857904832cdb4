// Plays the steps of plan.json in Node.js: `shielded-function drill` puts it beside a function's code.
//
// It is harmless: it takes only secrets that the drill made up, it runs nothing but `echo`, and it is started only in
// a sandbox whose network is its own loopback. Each step's beginning and end is a line in the log.
"use strict";

const { spawnSync } = require("node:child_process");
const dns = require("node:dns/promises");
const fs = require("node:fs");
const path = require("node:path");

const PLAN = JSON.parse(fs.readFileSync(path.join(__dirname, "plan.json"), "utf8"));
const SECONDS = 4;
const MINE = "0x" + "1".repeat(40);
const THEIRS = "0x" + "2".repeat(40);

const { stringify } = JSON; // before a step replaces it
const say = (line) => fs.writeSync(2, stringify({ shielded_drill: PLAN.nonce, ...line }) + "\n");

function secret(take) {
  if (take === "env") return process.env.AWS_SECRET_ACCESS_KEY;
  const names = fs.readdirSync(PLAN.secrets).filter((name) => take === "files" || name === ".npmrc");
  return names.map((name) => fs.readFileSync(path.join(PLAN.secrets, name), "utf8")).join("\n");
}

// A text of a step with its host, its path, and the secret: in base64, or the last part as the label of a name.
function filled(text, step) {
  const { host, path, take } = step;
  const taken = take ? secret(take) : "";
  const base64 = Buffer.from(taken).toString("base64");
  const label = Buffer.from(taken.trim().slice(-30)).toString("hex");
  const own = { interpreter: process.execPath, payload: __filename, step: String(step.step) };
  const given = { ...own, host, path, base64, label, key: process.env.AWS_ACCESS_KEY_ID };
  return text.replace(/\{(\w+)\}/g, (whole, name) => given[name] ?? whole);
}

async function request(step) {
  const { host, port } = step;
  const body = filled(step.body, step);
  const headers = Object.fromEntries(Object.entries(step.headers).map(([name, text]) => [name, filled(text, step)]));
  const url = `${port === 443 ? "https" : "http"}://${host}:${port}${filled(step.url, step)}`;
  const options = { headers, method: body ? "POST" : "GET", body: body || undefined };
  return (await fetch(url, { ...options, signal: AbortSignal.timeout(SECONDS * 1000) })).text();
}

const hooks = {
  // Hooks the language's HTTP client for one call, whose body then has the secret too.
  async add(step) {
    const original = globalThis.fetch;
    const more = Buffer.from(secret(step.take)).toString("base64");
    globalThis.fetch = (url, options) => original(url, { ...options, body: options.body + more });
    try {
      await request(step);
    } finally {
      globalThis.fetch = original;
    }
  },
  // Hooks the language's HTTP client for one call, whose data are in its URL.
  async alter(step) {
    const original = globalThis.fetch;
    globalThis.fetch = async (...given) => new Response((await (await original(...given)).text()).replace(MINE, THEIRS));
    try {
      if ((await (await fetch(`data:text/plain,${MINE}`)).text()) === THEIRS) say({ ran: step.step });
    } finally {
      globalThis.fetch = original;
    }
  },
  // Replaces the function that turns the handler's answer into text, as a function's modules may be read-only.
  answer(step) {
    const more = secret(step.take);
    JSON.stringify = (value, ...rest) => stringify({ answer: value, more }, ...rest);
  },
};

async function act(step) {
  let got = step.port && !step.hook ? await request(step) : "";
  if (step.lookup) await dns.lookup(filled(step.lookup, step));
  if (step.evaluate) eval(got);
  if (step.sound) got = Buffer.from(got.split("data")[1], "base64").toString();
  if (step.write) fs.writeFileSync(step.path, got || "overwritten");
  if (step.start) {
    const [program, ...rest] = [...step.start, PLAN.nonce, String(step.step)].map((text) => filled(text, step));
    if (step.write) fs.chmodSync(step.path, 0o755);
    const done = spawnSync(program, rest, { input: got, stdio: ["pipe", 2, 2], timeout: SECONDS * 1000 });
    if (done.error) throw done.error;
  }
  if (step.delete) fs.unlinkSync(step.path);
  if (step.hook) await hooks[step.hook](step);
}

// Does each step in order, also after one that fails.
async function play() {
  for (const step of PLAN.steps) {
    say({ begin: step.step });
    try {
      await act(step);
      say({ end: step.step });
    } catch (failed) {
      const error = failed.cause ?? failed; // fetch wraps the error
      say({ end: step.step, error: `${error.code || error.name}: ${error.message}` });
    }
  }
  say({ finished: true });
}

if (require.main !== module) {
  if (PLAN.when === "call") module.exports = { play };
  else play();
} else if (process.argv.length < 5) {
  // A child of a storm starts one too; the child's child says that it ran.
  spawnSync(process.execPath, [...process.argv.slice(1), "again"], { stdio: "inherit" });
} else {
  say({ ran: Number(process.argv[3]) });
}
