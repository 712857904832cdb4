// Every way that Node.js has to start a program.
import child_process from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import util from "node:util";

const ECHO = "/bin/echo";
const SCRIPT = new URL("./child.cjs", import.meta.url).pathname;

// The event that comes, or the error that came instead.
function either(emitter, child, event) {
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  return Promise.race([once(emitter, event), failed]);
}

async function heard(child) {
  let said = "";
  child.stdout?.on("data", (chunk) => (said += chunk));
  await either(child, child, "close");
  return said.trim();
}

function thrown(result) {
  if (result.error) throw result.error;
  return result.stdout.toString().trim();
}

async function messaged(child) {
  const [message] = await either(child, child, "message");
  child.disconnect();
  return message;
}

export default {
  "exec": async ({ name }) => (await util.promisify(child_process.exec)(`${ECHO} ${name}`)).stdout.trim(),
  "exec-sync": ({ name }) => child_process.execSync(`${ECHO} ${name}`, { stdio: "pipe" }).toString().trim(),
  "spawn": ({ name }) => heard(child_process.spawn(ECHO, [name])),
  "spawn-path": ({ name }) => heard(child_process.spawn("echo", [name])),
  "spawn-detached": ({ name }) => heard(child_process.spawn(ECHO, [name], { detached: true })),
  "spawn-no-environment": ({ name }) => heard(child_process.spawn(ECHO, [name], { env: {} })),
  "spawn-self": ({ name }) => heard(child_process.spawn(process.execPath, ["-p", `'${name}'`])),
  "spawn-proc-self": ({ name }) => heard(child_process.spawn("/proc/self/exe", ["-p", `'${name}'`])),
  "spawn-loader": ({ name }) => heard(child_process.spawn("/lib64/ld-linux-x86-64.so.2", [ECHO, name])),
  "spawn-sync": ({ name }) => thrown(child_process.spawnSync(ECHO, [name])),
  "fork": ({ name }) => messaged(child_process.fork(SCRIPT, [name])),
  "cluster": async ({ name }) => {
    cluster.setupPrimary({ exec: SCRIPT, args: [name] });
    const worker = cluster.fork();
    const [message] = await either(worker, worker.process, "message");
    worker.process.kill();
    return message;
  },
  "binding": ({ name }) => {
    const { spawn } = process.binding("spawn_sync");
    const stdio = [{ type: "pipe", readable: true }, { type: "pipe", writable: true }, { type: "inherit", fd: 2 }];
    const result = spawn({ file: ECHO, args: [ECHO, name], envPairs: [], stdio });
    if (result.error) throw Object.assign(new Error("spawn"), { code: util.getSystemErrorName(result.error) });
    return result.output[1].toString().trim();
  },
};
