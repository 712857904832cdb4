// Connects to Kafka, where nobody listens.
"use strict";

const { told } = require("./outcome.js");
const { Kafka, logLevel } = require("kafkajs");

exports.handler = told(async () => {
  const options = { brokers: ["closed.example:9092"], retry: { retries: 0 }, logLevel: logLevel.NOTHING };
  await new Kafka(options).producer().connect();
});
