// Sets and gets a key.
"use strict";

const { told } = require("./outcome.js");
const { createClient } = require("redis");

exports.handler = told(async () => {
  const client = createClient({ url: "redis://cache.example", socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  await client.set("key", "value");
  const found = await client.get("key");
  client.destroy();
  return found;
});
