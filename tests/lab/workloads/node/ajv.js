// Compiles a schema to a function, and validates.
"use strict";

const { told } = require("./outcome.js");
const { default: Ajv } = require("ajv");

exports.handler = told(() => new Ajv().compile({ type: "object", required: ["id"] })({ id: 1 }));
