// Hashes a password by native code.
"use strict";

const { told } = require("./outcome.js");
const argon2 = require("argon2");

exports.handler = told(async () => argon2.verify(await argon2.hash("secret"), "secret"));
