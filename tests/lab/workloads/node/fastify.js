// Answers a request that is injected.
"use strict";

const { told } = require("./outcome.js");
const fastify = require("fastify");

const app = fastify({ logger: true });
app.get("/", async () => ({ hello: "you" }));

exports.handler = told(async () => (await app.inject("/")).body);
