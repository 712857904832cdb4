// Logs.
"use strict";

const { told } = require("./outcome.js");
const { Logger } = require("@aws-lambda-powertools/logger");

const logger = new Logger({ serviceName: "workloads" });

exports.handler = told(() => {
  logger.error("failed", new Error("for the log"));
  return "logged";
});
