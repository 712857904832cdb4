// Asks PostgreSQL.
"use strict";

const { told } = require("./outcome.js");
const { Client } = require("pg");

exports.handler = told(async () => {
  const client = new Client({ host: "database.example", user: "postgres", database: "postgres" });
  await client.connect();
  const found = await client.query("select 6 * 7 as answer");
  await client.end();
  return found.rows[0].answer;
});
