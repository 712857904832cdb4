// Answers an event of API Gateway by serverless-http.
"use strict";

const { told } = require("./outcome.js");
const express = require("express");
const serverless = require("serverless-http");

const app = express();
app.get("/", (request, response) => response.json({ hello: "you" }));
const answer = serverless(app);
const event = {
  httpMethod: "GET",
  path: "/",
  headers: { host: "example.com" },
  queryStringParameters: null,
  requestContext: { identity: {} },
  body: null,
};

exports.handler = told(async () => (await answer(event, {})).body);
