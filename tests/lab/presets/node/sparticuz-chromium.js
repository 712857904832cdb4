// Has a packed browser draw a page, by playwright-core and by puppeteer-core.
"use strict";

async function title(browser) {
  const page = await browser.newPage();
  await page.setContent("<h1>title</h1>");
  const found = await page.$eval("h1", (element) => element.textContent);
  await browser.close();
  return found;
}

exports.handler = async () => {
  const { default: packed } = await import("@sparticuz/chromium");
  const { chromium } = require("playwright-core");
  const { launch } = await import("puppeteer-core");
  const options = { args: packed.args, executablePath: await packed.executablePath() };
  return { done: [await title(await chromium.launch(options)), await title(await launch(options))] };
};
