// Compiles TypeScript, by native code.
"use strict";

const { told } = require("./outcome.js");
const swc = require("@swc/core");

exports.handler = told(async () => {
  const options = { jsc: { parser: { syntax: "typescript" } } };
  return (await swc.transform("const a: number = 1;", options)).code.trim();
});
