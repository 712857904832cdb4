// Asks PostgreSQL by a query builder, from a pool.
"use strict";

const { told } = require("./outcome.js");
const knex = require("knex");

exports.handler = told(async () => {
  const database = knex({ client: "pg", connection: { host: "database.example", user: "postgres" } });
  try {
    return await database.select(database.raw("6 * 7 as answer"));
  } finally {
    await database.destroy();
  }
});
