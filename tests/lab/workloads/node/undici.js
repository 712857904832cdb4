// Asks an API for JSON, through a pool.
"use strict";

const { told } = require("./outcome.js");
const { Pool } = require("undici");

exports.handler = told(async () => {
  const pool = new Pool("https://api.example");
  const { body } = await pool.request({ method: "GET", path: "/" });
  const found = await body.json();
  await pool.close();
  return found;
});
