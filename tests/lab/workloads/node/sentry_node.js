// Sends an exception.
"use strict";

const { told } = require("./outcome.js");
const sentry = require("@sentry/node");

sentry.init({ dsn: "https://key@api.example/1", tracesSampleRate: 1 });

exports.handler = told(async () => {
  sentry.captureException(new Error("for Sentry"));
  await sentry.flush(3000);
  return "captured";
});
