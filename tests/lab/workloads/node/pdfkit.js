// Makes a PDF.
"use strict";

const { told } = require("./outcome.js");
const PDFDocument = require("pdfkit");

exports.handler = told(async () => {
  const document = new PDFDocument();
  const parts = [];
  const done = new Promise((end) => document.on("data", (part) => parts.push(part)).on("end", end));
  document.text("text").end();
  await done;
  return Buffer.concat(parts).subarray(0, 4).toString();
});
