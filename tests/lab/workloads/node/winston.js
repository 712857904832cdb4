// Logs.
"use strict";

const { told } = require("./outcome.js");
const winston = require("winston");

const logger = winston.createLogger({ format: winston.format.json(), transports: [new winston.transports.Console()] });

exports.handler = told(() => {
  logger.info("event", { number: 1 });
  return "logged";
});
