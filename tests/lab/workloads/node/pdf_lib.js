// Makes a PDF.
"use strict";

const { told } = require("./outcome.js");
const { PDFDocument } = require("pdf-lib");

exports.handler = told(async () => {
  const document = await PDFDocument.create();
  document.addPage().drawText("text");
  return Buffer.from(await document.save()).subarray(0, 4).toString();
});
