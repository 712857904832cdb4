// Runs a handler with a middleware.
"use strict";

const { told } = require("./outcome.js");
exports.handler = told(async () => {
  const { default: middy } = await import("@middy/core");
  const handler = middy().use({ before: (request) => (request.event.seen = true) });
  return handler.handler(async (event) => event)({}, {});
});
