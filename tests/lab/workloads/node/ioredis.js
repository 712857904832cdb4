// A pipeline to Redis.
"use strict";

const { told } = require("./outcome.js");
const Redis = require("ioredis");

exports.handler = told(async () => {
  const client = new Redis({ host: "cache.example", lazyConnect: true, retryStrategy: null, connectTimeout: 5000 });
  await client.connect();
  const found = await client.pipeline().set("key", "value").get("key").exec();
  client.disconnect();
  return found[1][1];
});
