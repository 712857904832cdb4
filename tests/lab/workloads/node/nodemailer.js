// Sends a mail, where nobody listens.
"use strict";

const { told } = require("./outcome.js");
const nodemailer = require("nodemailer");

exports.handler = told(async () => {
  const transport = nodemailer.createTransport({ host: "closed.example", port: 587 });
  return (await transport.sendMail({ from: "a@b.example", to: "c@d.example", text: "text" })).response;
});
