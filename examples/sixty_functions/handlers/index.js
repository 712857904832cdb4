// The functions in Node.js.
exports.handler = async (event, context) => ({
  statusCode: 200,
  body: JSON.stringify({ function: context.functionName }),
});
