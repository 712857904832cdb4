// A handler as a bundler leaves it: one module with a source map beside it. The next word is what a reader looks for.
// xylophone
import fs from "node:fs";
import { createRequire } from "node:module";
// While it is loaded, a function may read itself.
createRequire(import.meta.url)("./native.node");
globalThis.readWhileLoading = fs.readFileSync(new URL(import.meta.url), "utf8").includes("xylophone");
export const handler = async (event) => (await import("./attempts/run.mjs")).handler(event);
//# sourceMappingURL=index.mjs.map
