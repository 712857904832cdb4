// Takes an upload by formidable and by multer, each of which keeps it in /tmp under a name of its own.
"use strict";

const fs = require("node:fs");
const { Readable } = require("node:stream");
const { told } = require("./outcome.js");
const multer = require("multer");

const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: text/plain\r\n\r\n';
const body = Buffer.from(`${head}${"x".repeat(1000)}\r\n--b--\r\n`);

function request() {
  const headers = { "content-type": "multipart/form-data; boundary=b", "content-length": String(body.length) };
  return Object.assign(Readable.from([body]), { headers, method: "POST", url: "/" });
}

function sizes(files) {
  return files.map((file) => {
    const { size } = fs.statSync(file);
    fs.unlinkSync(file);
    return size;
  });
}

exports.handler = told(async () => {
  const { formidable } = await import("formidable");
  const [, files] = await formidable({}).parse(request());
  const incoming = request();
  const take = multer({ dest: "/tmp/uploads" }).single("file");
  await new Promise((resolve, reject) => take(incoming, {}, (error) => (error ? reject(error) : resolve())));
  return sizes([files.file[0].filepath, incoming.file.path]);
});
