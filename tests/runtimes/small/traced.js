// A function that is traced with AWS's X-Ray SDK, and calls somebody over HTTP.
"use strict";

const http = require("node:http");
const xray = require("aws-xray-sdk-core");

xray.captureHTTPsGlobal(http);

const { TRACE_HEADER } = process.env;

// As the client does with what the platform tells of the invocation: in the environment, and since Node.js 22 in a store.
function traced(handle) {
  process.env._X_AMZN_TRACE_ID = TRACE_HEADER;
  const store = globalThis.awslambda?.InvokeStore;
  return store ? store.run({ [Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID")]: TRACE_HEADER }, handle) : handle();
}

async function ask() {
  const server = http.createServer((request, response) => response.end("hello"));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const response = await new Promise((done, fail) =>
    http.get({ host: "127.0.0.1", port: server.address().port }, done).on("error", fail),
  );
  let text = "";
  for await (const part of response) text += part;
  server.close();
  return text;
}

exports.handler = (event) =>
  traced(() =>
    xray.captureAsyncFunc("handling", async (subsegment) => {
      subsegment.addAnnotation("name", event.name);
      const said = await ask();
      subsegment.close();
      return { said: `${said} ${event.name}` };
    }),
  );
