// Compiles TypeScript, by a program that it starts.
"use strict";

const { told } = require("./outcome.js");
const esbuild = require("esbuild");

exports.handler = told(async () => {
  const { code } = await esbuild.transform("const a: number = 1;", { loader: "ts" });
  return code.trim();
});
