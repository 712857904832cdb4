// Encrypts and decrypts a token.
"use strict";

const { told } = require("./outcome.js");
const jose = require("jose");

const key = new Uint8Array(32);

exports.handler = told(async () => {
  const token = await new jose.EncryptJWT({ sub: "me" }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
  return (await jose.jwtDecrypt(token, key)).payload;
});
