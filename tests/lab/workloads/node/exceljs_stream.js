// Writes a workbook as a stream, to a file in /tmp.
"use strict";

const { told } = require("./outcome.js");
const { stream } = require("exceljs");

exports.handler = told(async () => {
  const book = new stream.xlsx.WorkbookWriter({ filename: "/tmp/book.xlsx" });
  book.addWorksheet("sheet").addRow([1, "text"]).commit();
  await book.commit();
  return "written";
});
