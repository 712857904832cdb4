// The function behind wrappers of Node.js: what app.py does, in another language.
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");

const connect = () =>
  new Promise((done, failed) => {
    const socket = net.connect(443, "203.0.113.66", () => done(socket.destroy()));
    socket.on("error", failed);
  });

const attempts = {
  outbound_connectivity: connect,
  read_write_tmp: () => fs.writeFileSync("/tmp/loot", "loot"),
  create_child_process: () => execFileSync("/bin/true"),
  read_handler: () => fs.readFileSync(__filename),
};

async function attempt(deed) {
  try {
    await deed();
    return "done";
  } catch (error) {
    if (error.code !== "EACCES") throw error;
    return "denied";
  }
}

const talkToItself = () =>
  new Promise((done) => {
    const server = net.createServer((socket) => socket.end("heard"));
    server.listen(0, "127.0.0.1", () => {
      net.connect(server.address().port, "127.0.0.1").on("data", (data) => server.close(() => done(String(data))));
    });
  });

exports.handler = async (event) => {
  if (event.do === "attempts") {
    const outcomes = {};
    for (const [name, deed] of Object.entries(attempts)) outcomes[name] = await attempt(deed);
    return outcomes;
  }
  return {
    work: {
      data: fs.readFileSync(`${__dirname}/data.txt`, "utf8").trim(),
      thread: await talkToItself(),
      later: require("./later.js").NAME,
    },
    wrapped: process.env.WRAPPED_BY,
    hooked: globalThis.hookedBefore,
    options: process.execArgv,
  };
};
