// A handler in front of the function's own, whose name the wrapper kept.
const [file, name] = process.env.ORIG_HANDLER.split(".");
const inner = require(`${process.env.LAMBDA_TASK_ROOT}/${file}`)[name];

exports.handler = async (event) => ({ ...(await inner(event)), traced: true });
