// Talks to itself by a WebSocket on loopback.
"use strict";

const { told } = require("./outcome.js");
const { WebSocket, WebSocketServer } = require("ws");

exports.handler = told(async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((done) => server.on("listening", done));
  server.on("connection", (peer) => peer.on("message", (data) => peer.send(data)));
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const said = await new Promise((done, fail) => {
    client.on("open", () => client.send("text")).on("message", (data) => done(String(data))).on("error", fail);
  });
  client.terminate();
  server.close();
  return said;
});
