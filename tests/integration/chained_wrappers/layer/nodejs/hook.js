// Is loaded before the runtime client.
globalThis.hookedBefore = true;
