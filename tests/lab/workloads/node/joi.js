// Validates an event.
"use strict";

const { told } = require("./outcome.js");
const Joi = require("joi");

exports.handler = told(() => Joi.object({ at: Joi.date().iso() }).validate({ at: "2026-01-01" }).error ?? "valid");
