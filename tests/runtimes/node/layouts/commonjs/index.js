// A handler as a bundler leaves it, as a CommonJS module. The next word is what a reader looks for.
// xylophone
globalThis.readWhileLoading = require("node:fs").readFileSync(__filename, "utf8").includes("xylophone");
exports.handler = async (event) => (await import("./attempts/run.mjs")).handler(event);
//# sourceMappingURL=index.js.map
