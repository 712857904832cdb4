// Asks an API for JSON.
"use strict";

const { told } = require("./outcome.js");
const axios = require("axios");

exports.handler = told(async () => (await axios.get("https://api.example/", { timeout: 5000 })).data);
