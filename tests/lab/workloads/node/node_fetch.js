// Asks an API for JSON.
"use strict";

const { told } = require("./outcome.js");
exports.handler = told(async () => {
  const { default: fetch } = await import("node-fetch");
  return (await fetch("https://api.example/")).json();
});
