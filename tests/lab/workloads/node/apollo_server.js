// Answers a query.
"use strict";

const { told } = require("./outcome.js");
const { ApolloServer } = require("@apollo/server");

const server = new ApolloServer({ typeDefs: "type Query { hello: String }", resolvers: { Query: { hello: () => "you" } } });

exports.handler = told(async () => {
  const { body } = await server.executeOperation({ query: "{ hello }" });
  return body.singleResult.data;
});
