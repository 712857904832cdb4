// Renders a template, which it compiles to a function.
"use strict";

const { told } = require("./outcome.js");
const handlebars = require("handlebars");

exports.handler = told(() => handlebars.compile("hello {{name}}")({ name: "you" }));
