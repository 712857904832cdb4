// Makes identifiers.
"use strict";

const { told } = require("./outcome.js");
const { v4, validate } = require("uuid");

exports.handler = told(() => validate(v4()));
