// Packs a file into a zip in memory.
"use strict";

const { told } = require("./outcome.js");
const archiver = require("archiver");

exports.handler = told(async () => {
  const archive = typeof archiver === "function" ? archiver("zip") : new archiver.ZipArchive();
  const parts = [];
  archive.on("data", (part) => parts.push(part));
  archive.append("text", { name: "file.txt" });
  const done = new Promise((end) => archive.on("end", end));
  await archive.finalize();
  await done;
  return Buffer.concat(parts).subarray(0, 2).toString();
});
