// Records a subsegment.
"use strict";

const { told } = require("./outcome.js");
const xray = require("aws-xray-sdk-core");

xray.captureHTTPsGlobal(require("https"));

exports.handler = told(() => xray.captureFunc("work", () => "recorded"));
