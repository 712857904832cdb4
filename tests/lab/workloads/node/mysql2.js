// Asks MySQL.
"use strict";

const { told } = require("./outcome.js");
const mysql = require("mysql2/promise");

exports.handler = told(async () => {
  const connection = await mysql.createConnection({ host: "mysql.example", user: "root", connectTimeout: 5000 });
  const [rows] = await connection.query("select 6 * ? as answer", [7]);
  await connection.end();
  return rows[0].answer;
});
