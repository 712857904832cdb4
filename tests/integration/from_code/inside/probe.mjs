// From an ES module, by the layer's path: NODE_PATH is CommonJS's alone.
import { ConfigurationError, configure } from "/opt/nodejs/node_modules/shielded-function/index.js";

try {
  configure({ policy: { read_write_tmp: "blok" } });
} catch (error) {
  console.log(error instanceof ConfigurationError, error instanceof Error, error.name, error.message);
}
