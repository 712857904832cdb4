// Logs through a thread of its own.
"use strict";

const { told } = require("./outcome.js");
const pino = require("pino");

const logger = pino({ transport: { target: "pino/file" } });

exports.handler = told(async () => {
  logger.info({ number: 1 }, "event");
  await new Promise((done) => logger.flush(done));
  return "logged";
});
