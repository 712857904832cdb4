// Formats a date in a time zone.
"use strict";

const { told } = require("./outcome.js");
const dayjs = require("dayjs");
dayjs.extend(require("dayjs/plugin/utc"));
dayjs.extend(require("dayjs/plugin/timezone"));

exports.handler = told(() => dayjs.utc("2026-07-01T12:00:00Z").tz("Europe/Berlin").format());
