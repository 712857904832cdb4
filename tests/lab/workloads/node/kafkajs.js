// Sends to Kafka and reads it, in a group.
"use strict";

const { told } = require("./outcome.js");
const { Kafka, logLevel } = require("kafkajs");

exports.handler = told(async () => {
  const kafka = new Kafka({ brokers: ["kafka.example:9092"], retry: { retries: 3 }, logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "topic", messages: [{ value: "text" }] });
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: "group" });
  await consumer.connect();
  await consumer.subscribe({ topic: "topic", fromBeginning: true });
  const text = await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.run({ eachMessage: async ({ message }) => resolve(message.value.toString()) }).catch(reject);
  });
  await consumer.disconnect();
  return text;
});
