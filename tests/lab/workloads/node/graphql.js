// Answers a query.
"use strict";

const { told } = require("./outcome.js");
const { buildSchema, graphql } = require("graphql");

const schema = buildSchema("type Query { hello: String }");

exports.handler = told(async () => (await graphql({ schema, source: "{ hello }", rootValue: { hello: "you" } })).data);
