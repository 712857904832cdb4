// Calls a function of the C library, by a foreign-function interface.
"use strict";

const { told } = require("./outcome.js");

exports.handler = told(async () => {
  const koffi = require("koffi");
  return koffi.load("libc.so.6").func("int abs(int)")(-3);
});
