// Compiles TypeScript.
"use strict";

const { told } = require("./outcome.js");
const typescript = require("typescript");

exports.handler = told(() => typescript.transpile("const a: number = 1;").trim());
