// An ES module in a folder. The next word is what a reader looks for.
// xylophone
export const handler = async (event) => (await import("../attempts/run.mjs")).handler(event);
//# sourceMappingURL=app.js.map
