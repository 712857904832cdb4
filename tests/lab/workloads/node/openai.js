// Asks an API as OpenAI's.
"use strict";

const { told } = require("./outcome.js");
const { default: OpenAI } = require("openai");

const client = new OpenAI({ apiKey: "k", baseURL: "https://api.example/v1", maxRetries: 0, timeout: 5000 });

exports.handler = told(async () => client.get("/models"));
