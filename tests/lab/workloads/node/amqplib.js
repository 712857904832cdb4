// Connects to RabbitMQ, where nobody listens.
"use strict";

const { told } = require("./outcome.js");
const amqp = require("amqplib");

exports.handler = told(async () => {
  await amqp.connect("amqp://closed.example");
});
