// Hashes a password.
"use strict";

const { told } = require("./outcome.js");
const bcrypt = require("bcryptjs");

exports.handler = told(async () => bcrypt.compare("secret", await bcrypt.hash("secret", 4)));
