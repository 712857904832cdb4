// Starts a shell, as libraries do that call other programs.
"use strict";

const { told } = require("./outcome.js");
const { promisify } = require("node:util");
const { exec } = require("node:child_process");

exports.handler = told(async () => (await promisify(exec)("echo said")).stdout.trim());
