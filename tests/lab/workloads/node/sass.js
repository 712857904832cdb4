// Compiles a style sheet.
"use strict";

const { told } = require("./outcome.js");
const sass = require("sass");

exports.handler = told(() => sass.compileString("a { b { color: red } }", { style: "compressed" }).css);
