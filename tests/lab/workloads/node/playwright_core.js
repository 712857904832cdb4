// Has a browser draw a page: the program comes packed in a package, and unpacks itself into /tmp.
"use strict";

const { told } = require("./outcome.js");

exports.handler = told(async () => {
  const { default: packed } = await import("@sparticuz/chromium");
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ args: packed.args, executablePath: await packed.executablePath() });
  try {
    const page = await browser.newPage();
    await page.setContent("<h1>title</h1>");
    return await page.textContent("h1");
  } finally {
    await browser.close();
  }
});
