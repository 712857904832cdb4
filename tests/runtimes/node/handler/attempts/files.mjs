// Every way that Node.js has to use /tmp. `there`, `there.mjs`, `there.cjs`, `folder/` and, for what takes something
// away, a file or a folder of the attempt's own name are put into /tmp from outside.
import fs from "node:fs";
import fsp from "node:fs/promises";
import { createRequire } from "node:module";
import net from "node:net";
import stream from "node:stream/promises";

const require = createRequire(import.meta.url);
const THERE = "/tmp/there";
const text = (bytes) => bytes.toString("utf8");

// fs.open with flags, a write, and what is in the file then.
function opened(file, flags) {
  const descriptor = fs.openSync(file, flags, 0o600);
  try {
    fs.writeSync(descriptor, "data");
  } finally {
    fs.closeSync(descriptor);
  }
  return "data";
}

const { O_CREAT, O_EXCL, O_RDWR, O_WRONLY, O_TRUNC, O_APPEND } = fs.constants;

export default {
  "write-sync": ({ file }) => fs.writeFileSync(file, "data"),
  "write-promise": ({ file }) => fsp.writeFile(file, "data"),
  "write-stream": ({ file }) => stream.finished(fs.createWriteStream(file).end("data")),
  "write-buffer-path": ({ file }) => fs.writeFileSync(Buffer.from(file), "data"),
  "write-dots": ({ name }) => fs.writeFileSync(`/var/task/../../tmp/${name}`, "data"),
  "write-proc-cwd": ({ name }) => fs.writeFileSync(`/proc/self/cwd/../../tmp/${name}`, "data"),
  "write-relative": ({ name }) => {
    process.chdir("/tmp");
    return fsp.writeFile(name, "data").finally(() => process.chdir("/var/task"));
  },
  "write-proc-root": ({ file }) => fs.writeFileSync(`/proc/self/root${file}`, "data"),
  "open-a": ({ file }) => opened(file, "a"),
  "open-exclusive": ({ file }) => opened(file, O_CREAT | O_EXCL | O_RDWR),
  "open-truncate": ({ file }) => opened(file, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND),
  "open-existing": () => opened(THERE, "r+"),
  "open-handle": async ({ file }) => {
    const handle = await fsp.open(file, "ax");
    await handle.appendFile("data").finally(() => handle.close());
  },
  "read-sync": () => text(fs.readFileSync(THERE)),
  "read-text": () => fs.readFileSync(THERE, "utf8"),
  "read-promise": () => fsp.readFile(THERE, "utf8"),
  "read-stream": async () => (await fs.createReadStream(THERE, "utf8").toArray()).join(""),
  "read-blob": async () => (await fs.openAsBlob(THERE)).text(),
  "read-binding": () => process.binding("fs").open(THERE, fs.constants.O_RDONLY, 0o666) > 2,
  "copy-sync": ({ file }) => fs.copyFileSync("/etc/hosts", file),
  // A device cannot be copied to, which libuv finds out when it has opened both.
  "copy-from": () =>
    fsp.copyFile(THERE, "/dev/null").catch((error) => {
      if (error.code !== "EINVAL") throw error;
    }),
  "copy-tree": ({ file }) => fsp.cp("/var/task/attempts", file, { recursive: true }),
  "copy-tree-sync": ({ file }) => fs.cpSync("/var/task/attempts", file, { recursive: true }),
  "mkdir": ({ file }) => fs.mkdirSync(file),
  "mkdir-recursive": ({ file }) => fs.mkdirSync(`${file}/a/b`, { recursive: true }),
  "mkdtemp": ({ file }) => void fs.mkdtempSync(`${file}-`),
  "rename": ({ file }) => fs.renameSync(`${file}.old`, file),
  "symlink": ({ file }) => fs.symlinkSync("/etc/hosts", file),
  "link": ({ file }) => fs.linkSync(THERE, file),
  "unlink": ({ file }) => fs.unlinkSync(`${file}.old`),
  "rm-recursive": ({ file }) => fs.rmSync(`${file}.folder`, { recursive: true }),
  "rmdir": ({ file }) => fs.rmdirSync(`${file}.empty`),
  "truncate": () => fs.truncateSync(THERE, 7),
  "chmod": () => fs.chmodSync(THERE, 0o644),
  "utimes": () => fs.utimesSync(THERE, 1, 1),
  "lutimes": () => fsp.lutimes(THERE, 1, 1),
  "readdir": () => fs.readdirSync("/tmp").includes("there"),
  "opendir": () => {
    const folder = fs.opendirSync("/tmp");
    const first = folder.readSync();
    folder.closeSync();
    return first !== null;
  },
  "require": () => require("/tmp/there.cjs"),
  "import": async () => (await import("/tmp/there.mjs")).default,
  "dlopen": () => void process.dlopen({ exports: {} }, "/tmp/native.node"),
  "unix-socket": ({ file }) =>
    new Promise((resolve, reject) => {
      const server = net.createServer().once("error", reject);
      server.listen(file, () => server.close(() => resolve()));
    }),
  "sqlite": async ({ file }) => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE t (v INTEGER)");
    database.close();
  },
  "report": ({ name }) => {
    process.report.directory = "/tmp";
    process.report.excludeNetwork = true;
    const written = process.report.writeReport(name);
    if (!written) throw Object.assign(new Error("no report was written"), { code: "EACCES" });
  },
  "native": ({ file }) => require("../native.node").open(file),
  // Left open by design: nothing is read or written.
  "stat": () => fs.statSync(THERE).size,
  "access": () => fs.accessSync(THERE),
  "watch": () => fs.watch("/tmp").close(),
};
