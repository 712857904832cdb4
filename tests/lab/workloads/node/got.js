// Asks an API for JSON.
"use strict";

const { told } = require("./outcome.js");
exports.handler = told(async () => {
  const { default: got } = await import("got");
  return got("https://api.example/", { retry: { limit: 0 } }).json();
});
