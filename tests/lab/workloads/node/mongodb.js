// Inserts into MongoDB and finds it.
"use strict";

const { told } = require("./outcome.js");
const { MongoClient } = require("mongodb");

exports.handler = told(async () => {
  const client = new MongoClient("mongodb://mongodb.example", { serverSelectionTimeoutMS: 5000 });
  try {
    await client.connect();
    const answers = client.db("shop").collection("answers");
    const { insertedId } = await answers.insertOne({ answer: 42 });
    return (await answers.findOne({ _id: insertedId })).answer;
  } finally {
    await client.close();
  }
});
