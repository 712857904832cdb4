// A handler as a bundler leaves it: one module with a source map beside it. The next word is what a reader looks for.
// xylophone
import fs from "node:fs";
import { createRequire } from "node:module";
// While it is loaded, a function may read itself; a request to the Runtime API that is none for work changes nothing.
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const request = "GET /2018-06-01/ping HTTP/1.1\r\nHost: runtime\r\n\r\n";
createRequire(import.meta.url)("./native.node").connect(host, Number(port), request);
globalThis.readWhileLoading = fs.readFileSync(new URL(import.meta.url), "utf8").includes("xylophone");
export const handler = async (event) => (await import("./attempts/run.mjs")).handler(event);
//# sourceMappingURL=index.mjs.map
