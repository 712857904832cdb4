// Starts a browser that is not there.
"use strict";

const { told } = require("./outcome.js");
const puppeteer = require("puppeteer-core");

exports.handler = told(async () => {
  const browser = await puppeteer.launch({ executablePath: "/opt/chromium", args: ["--no-sandbox"] });
  await browser.close();
});
