// Calls a service, where nobody listens.
"use strict";

const { told } = require("./outcome.js");
const grpc = require("@grpc/grpc-js");

exports.handler = told(async () => {
  const client = new grpc.Client("closed.example:50051", grpc.credentials.createInsecure());
  const same = (data) => data;
  const options = { deadline: Date.now() + 5000 };
  try {
    return await new Promise((done, fail) =>
      client.makeUnaryRequest("/greeter.Greeter/Hello", same, same, Buffer.from("you"), options, (error, data) =>
        error ? fail(error) : done(String(data)),
      ),
    );
  } finally {
    client.close();
  }
});
