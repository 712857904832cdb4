// Compiles TypeScript, by the native library of @swc/core.
"use strict";

const swc = require("@swc/core");

exports.handler = async () => {
  const options = { jsc: { parser: { syntax: "typescript" } } };
  return { done: (await swc.transform("const a: number = 1;", options)).code.trim() };
};
