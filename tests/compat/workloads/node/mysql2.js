// Connects to MySQL, where nobody listens.
"use strict";

const { told } = require("./outcome.js");
const mysql = require("mysql2/promise");

exports.handler = told(async () => {
  const connection = await mysql.createConnection({ host: "closed.example", user: "root", connectTimeout: 5000 });
  return connection.threadId;
});
