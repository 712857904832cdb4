// Draws a text by Pango, which looks for fonts and keeps their list.
"use strict";

const { told } = require("./outcome.js");
const sharp = require("sharp");

exports.handler = told(async () => {
  const svg = '<svg width="100" height="50"><text x="10" y="20" font-family="sans">text</text></svg>';
  return (await sharp(Buffer.from(svg)).png().toBuffer()).subarray(1, 4).toString();
});
