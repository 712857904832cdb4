// Writes and reads a workbook.
"use strict";

const { told } = require("./outcome.js");
const { Workbook } = require("exceljs");

exports.handler = told(async () => {
  const book = new Workbook();
  book.addWorksheet("sheet").addRow([1, "text"]);
  const again = new Workbook();
  await again.xlsx.load(await book.xlsx.writeBuffer());
  return again.worksheets[0].getCell("B1").value;
});
