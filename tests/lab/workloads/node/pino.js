// Logs.
"use strict";

const { told } = require("./outcome.js");
const pino = require("pino");

const logger = pino();

exports.handler = told(() => {
  logger.info({ number: 1 }, "event");
  return "logged";
});
