// Hashes a password by native code, in libuv's threads.
"use strict";

const { told } = require("./outcome.js");
const bcrypt = require("bcrypt");

exports.handler = told(async () => bcrypt.compare("secret", await bcrypt.hash("secret", 4)));
