// As probe.py: does what its argument lists, step by step, and prints what came of each as JSON.
"use strict";

const fs = require("fs");
const net = require("net");
const vm = require("vm");
const childProcess = require("child_process");
const { configure, ConfigurationError } = require("shielded-function");

const ATTEMPTS = {
  tmp: () => fs.promises.writeFile("/tmp/probe", "x"),
  program: () =>
    new Promise((done, fail) => childProcess.execFile("/bin/true", (error) => (error ? fail(error) : done()))),
  connect: () =>
    new Promise((done, fail) =>
      net.connect(9, "203.0.113.77").on("error", (e) => (e.code === "ECONNREFUSED" ? done() : fail(e))),
    ),
  ready: () =>
    new Promise((done, fail) => {
      const server = net.createServer((socket) => socket.resume().on("end", () => server.close(done)));
      server.listen(0, "127.0.0.1", () =>
        net.connect(server.address().port, "127.0.0.1").end("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n"),
      );
    }),
  rings: async () => {
    const rings = fs.readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`).includes("io_uring");
      } catch {
        return false;
      }
    });
    if (rings.length) throw new Error(`${rings.length} rings`);
  },
  handler: () => fs.promises.readFile("/var/task/app.js"),
  inherited: () => configure({ policy: Object.create({ read_write_tmp: "block" }) }),
  "of a class": () =>
    configure(
      new (class {
        get policy() {
          return { read_write_tmp: "block" };
        }
      })(),
    ),
  bare: () => configure(Object.assign(Object.create(null), { policy: vm.runInNewContext("({read_write_tmp: 'block'})") })),
};

async function attempt(step) {
  try {
    if (typeof step === "string") await ATTEMPTS[step]();
    else configure(step);
    return "ok";
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    return error.code || String(error);
  }
}

async function main() {
  const done = [];
  for (const step of JSON.parse(process.argv[2])) done.push(await attempt(step));
  console.log(JSON.stringify(done));
}

main();
