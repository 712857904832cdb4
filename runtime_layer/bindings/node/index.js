// configure(): the shield from a function's own code, for those who deploy without the construct.
//
// The object becomes SHIELD_NAME=value lines, as they would stand in the environment. The add-on beside this file
// passes them to the engine, which reads them.
"use strict";

const path = require("path");

const OPTIONS = ["policy", "token", "disable_analytics"];

class ConfigurationError extends Error {
  constructor(message) {
    super(message);
    this.name = "ConfigurationError";
  }
}

function refuse(field, reason) {
  throw new ConfigurationError(`${field}: ${reason}`);
}

function named(value) {
  if (value === undefined || value === null) return "missing";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Inherited fields are not among an object's own. Each realm has its own root prototype.
function ownFields(field, object) {
  const parent = Object.getPrototypeOf(object);
  if (parent !== null && Object.getPrototypeOf(parent) !== null)
    refuse(field, "it has a class or inherits fields, which would be lost; give a plain object");
  return Object.entries(object);
}

function text(field, value) {
  // Control characters, and halves of characters.
  if (/[\0-\x1f\x7f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value))
    refuse(field, `${JSON.stringify(value)} has a control character or half a character; take it out`);
  return value;
}

function entry(field, value) {
  if (typeof value !== "string") refuse(field, `an entry is ${named(value)}, not text`);
  if (value.includes(",") || !value.trim())
    refuse(field, `${JSON.stringify(value)} is not one entry; write one for each, without commas`);
  return text(field, value);
}

// A field's value as its variable has it.
function setting(field, value) {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "string") return text(field, value);
  if (Array.isArray(value)) return value.map((one) => entry(field, one)).join(",");
  return refuse(field, `it is ${named(value)}, not text, a list of text, or a boolean`);
}

function line([field, value]) {
  if (!/^[a-z_]+$/.test(field))
    refuse(field, "a field's name is lower-case letters and underscores, as in read_write_tmp");
  return value === undefined || value === null ? "" : `SHIELD_${field.toUpperCase()}=${setting(field, value)}\n`;
}

function lines(options) {
  if (!isObject(options)) throw new ConfigurationError(`the options are ${named(options)}, not an object with policy in it`);
  for (const [name] of ownFields("options", options))
    if (!OPTIONS.includes(name)) refuse(name, `there is no such option; use ${OPTIONS.join(", ")}`);
  if (!isObject(options.policy))
    refuse("policy", `it is ${named(options.policy)}, not an object of fields such as read_write_tmp`);
  return ownFields("policy", options.policy).map(line).join("");
}

function configure(options) {
  const asked = lines(options);
  const library = path.resolve(__dirname, "../../../shielded-function/libshield.so");
  const reason = require("./shielded_function.node").configure(asked, library);
  if (reason !== undefined) throw new ConfigurationError(reason);
}

exports.configure = configure;
exports.ConfigurationError = ConfigurationError;
