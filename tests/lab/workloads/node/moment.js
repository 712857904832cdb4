// Formats a date.
"use strict";

const { told } = require("./outcome.js");
const moment = require("moment");

exports.handler = told(() => moment.utc("2026-01-01").locale("de").format("LL"));
