// What a use of a library came to, as its handler says it.
"use strict";

function causes(error) {
  const found = [];
  for (let each = error; each && !found.includes(each) && found.length < 10; each = each.cause ?? each.errors?.[0]) {
    found.push(each);
  }
  return found;
}

/** A handler: `done` with what the use gave, or `error` with the types and codes of the error and of its causes. */
exports.told = (use) => async () => {
  try {
    return { done: (await use()) ?? null };
  } catch (error) {
    const all = causes(error);
    const types = all.map((each) => [each.name, each.code].filter(Boolean).join(" "));
    return { error: types, text: all.map((each) => `${each.code ?? ""} ${each.message}`).join(" | ").slice(0, 2000) };
  }
};
