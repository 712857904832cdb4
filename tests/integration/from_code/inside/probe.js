// As probe.py: does what its argument lists, step by step, and prints what came of each as JSON.
"use strict";

const fs = require("fs");
const vm = require("vm");
const childProcess = require("child_process");
const { configure, ConfigurationError } = require("shielded-function");

const ATTEMPTS = {
  tmp: () => fs.promises.writeFile("/tmp/probe", "x"),
  program: () =>
    new Promise((done, fail) => childProcess.execFile("/bin/true", (error) => (error ? fail(error) : done()))),
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
