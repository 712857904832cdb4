// Connects to MongoDB, where nobody listens.
"use strict";

const { told } = require("./outcome.js");
const { MongoClient } = require("mongodb");

exports.handler = told(async () => {
  const client = new MongoClient("mongodb://closed.example", { serverSelectionTimeoutMS: 2000 });
  await client.connect();
});
