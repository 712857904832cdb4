// Signs and verifies a token.
"use strict";

const { told } = require("./outcome.js");
const jwt = require("jsonwebtoken");

exports.handler = told(() => jwt.verify(jwt.sign({ sub: "me" }, "k".repeat(32), { noTimestamp: true }), "k".repeat(32)));
