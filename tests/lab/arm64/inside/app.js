// As app.py, in JavaScript.
"use strict";
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");

function say(name, error) {
  console.log(name, error ? `${error.code} ${-error.errno}` : "done");
}

function attempt(name, work) {
  try {
    work();
    say(name);
  } catch (error) {
    say(name, error);
  }
}

function connected(port, host, write) {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => (write ? socket.write(write) : socket.destroy()));
    let failure;
    socket.on("error", (error) => (failure = error));
    socket.on("data", () => socket.destroy());
    socket.on("close", () => resolve(failure));
  });
}

function run() {
  const child = spawnSync("/bin/true");
  if (child.error) throw child.error;
}

function load() {
  try {
    process.dlopen({ exports: {} }, "/var/task/loaded.so");
  } catch (error) {
    if (!/self-register/.test(error.message)) throw error; // it is no add-on, but its constructor has run
  }
}

async function main() {
  attempt("read_handler_early", () => fs.readFileSync(__filename));
  attempt("read_write_tmp", () => fs.readFileSync("/tmp/there"));
  say("outbound_connectivity", await connected(80, "203.0.113.9"));
  attempt("create_child_process", run);
  attempt("load", load);
  const request = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n";
  await connected(9001, "127.0.0.1", request);
  attempt("read_handler", () => fs.readFileSync(__filename));
  attempt("other_file", () => fs.readFileSync("/etc/passwd"));
}

if (process.argv[2] === "hello") console.log("hello");
else main();
