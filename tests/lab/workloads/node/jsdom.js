// Runs a page's script.
"use strict";

const { told } = require("./outcome.js");
const { JSDOM } = require("jsdom");

exports.handler = told(() => {
  const page = new JSDOM("<p></p><script>document.querySelector('p').textContent = 6 * 7</script>", {
    runScripts: "dangerously",
  });
  return page.window.document.querySelector("p").textContent;
});
