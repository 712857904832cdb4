// As app.py: shields itself while it is loaded, where it is told to, and then tries what an event lists.
"use strict";

const { execFile } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const { promisify } = require("node:util");
const { configure } = require("shielded-function");

const target = (fd) => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "closed since";
  }
};
const rings = fs.readdirSync("/proc/self/fd").map(target).filter((name) => name.includes("io_uring")).length;

if (process.env.CONFIGURES)
  configure({
    policy: {
      outbound_connectivity: "block",
      read_write_tmp: "block",
      create_child_process: "block",
      read_handler: "block",
    },
    disable_analytics: true,
    token: "0123456789abcdef",
  });

const ATTEMPTS = {
  connect: () =>
    new Promise((done, fail) => {
      const socket = net.connect(7000, "203.0.113.77", () => {
        socket.destroy();
        done("connected");
      });
      socket.on("error", fail);
    }),
  write: () => fs.promises.writeFile("/tmp/written", "four").then(() => "4"),
  start: () => promisify(execFile)("/bin/echo", ["started"]).then(({ stdout }) => stdout.trim()),
  read: () => fs.promises.readFile("/var/task/app.js").then((source) => source.subarray(0, 4).toString("hex")),
  rings: () => `${rings}`,
};

async function attempt(name) {
  try {
    return `done: ${await ATTEMPTS[name]()}`;
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

exports.handler = async (event) => {
  const said = {};
  for (const name of event) said[name] = await attempt(name);
  return said;
};
