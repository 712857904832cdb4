// An ES module in a folder. The next word is what a reader looks for.
// xylophone
import fs from "node:fs";
globalThis.readWhileLoading = fs.readFileSync(new URL(import.meta.url), "utf8").includes("xylophone");
export const handler = async (event) => (await import("../attempts/run.mjs")).handler(event);
//# sourceMappingURL=app.js.map
