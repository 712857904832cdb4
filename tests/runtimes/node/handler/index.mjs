// A handler as a bundler leaves it: one module with a source map beside it. The next word is what a reader looks for.
// xylophone
export const handler = async (event) => (await import("./attempts/run.mjs")).handler(event);
//# sourceMappingURL=index.mjs.map
