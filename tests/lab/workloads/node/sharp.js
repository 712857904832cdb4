// Resizes an image, by libvips and its threads.
"use strict";

const { told } = require("./outcome.js");
const sharp = require("sharp");

exports.handler = told(async () => {
  const image = sharp({ create: { width: 400, height: 200, channels: 3, background: "red" } });
  const made = await image.resize(100).webp().toBuffer();
  return (await sharp(made).metadata()).width;
});
