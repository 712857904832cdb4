// Runs inside the sandbox: `app.js <way>...`, forbidden calls, each way with its name in the log in front of it.
'use strict';
const childProcess = require('node:child_process');
const dns = require('node:dns');
const fs = require('node:fs');
const net = require('node:net');
const { once } = require('node:events');
const { setTimeout: after } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');
const vm = require('node:vm');

const FILE = '/tmp/there';
const quietly = (what) => {
  try {
    return what();
  } catch {
    return undefined;
  }
};

class Account {
  constructor(name) {
    fs.readFileSync(name);
  }

  get balance() {
    return fs.readFileSync(FILE);
  }

  static list() {
    return [FILE].map(function readOne(name) {
      return fs.readFileSync(name);
    });
  }

  async load() {
    await null;
    fs.readFileSync(FILE);
  }

  *rows() {
    yield fs.readFileSync(FILE);
  }
}

function deep(n) {
  if (n) return deep(n - 1);
  return fs.readFileSync(FILE);
}

// Is compiled again and again, and optimised, before it does what it must not.
function hot(n) {
  let sum = 0;
  for (let i = 0; i < 300; i++) sum += i % (n + 1);
  return n < 0 ? fs.readFileSync(FILE) : sum;
}

const ways = {
  by_itself() {
    fs.readFileSync(FILE);
  },
  through_packages() {
    require('@acme/opener').open(FILE);
  },
  when_required() {
    require('loud');
  },
  async after_await() {
    await after(1);
    require('reader').read(FILE);
  },
  async in_an_es_module() {
    const { peek } = await import('modern');
    peek(FILE);
  },
  async when_imported() {
    await import('modern/loud.mjs');
  },
  under_foreign_names() {
    require('@acme/ünusual').lés(FILE);
  },
  async under_foreign_names_of_a_url() {
    (await import('@acme/ünusual/名前 1.mjs')).lesen(FILE);
  },
  in_a_constructor() {
    new Account(FILE);
  },
  in_a_getter() {
    void new Account('/dev/null').balance;
  },
  in_a_callback_of_a_builtin() {
    Account.list();
  },
  async in_a_method_after_await() {
    await new Account('/dev/null').load();
  },
  in_a_generator() {
    for (const row of new Account('/dev/null').rows()) void row;
  },
  in_a_callback_of_json() {
    JSON.parse('{"a":1}', function revive() {
      fs.readFileSync(FILE);
    });
  },
  in_a_proxy() {
    void new Proxy({}, { get: () => fs.readFileSync(FILE) }).anything;
  },
  by_eval() {
    eval('fs.readFileSync(FILE)');
  },
  in_a_script_of_vm() {
    vm.runInThisContext('\n\n(function inner(f) {\n  return f();\n})', { filename: '/var/task/made.js', lineOffset: 100 })(() => fs.readFileSync(FILE));
  },
  at_the_end_of_a_deep_stack() {
    deep(400);
  },
  at_the_end_of_a_very_deep_stack() {
    require('reader').dive(200, FILE);
  },
  async in_a_timer() {
    await new Promise((resolve) => {
      setTimeout(function ring() {
        fs.readFileSync(FILE);
        resolve();
      }, 1);
    });
  },
  async in_a_worker() {
    await once(new Worker(require.resolve('./worker.js'), { workerData: FILE }), 'exit');
  },
  async in_a_worker_of_no_file() {
    const code = `require('/var/task/node_modules/reader').read(${JSON.stringify(FILE)})`;
    await once(new Worker(code, { eval: true }), 'exit');
  },
  in_hot_code() {
    for (let i = 0; i < 20000; i++) hot(i & 7);
    hot(-1);
  },
  async on_the_pool() {
    await fs.promises.readFile(FILE);
    await new Promise((resolve) => fs.readFile(FILE, resolve));
  },
  async by_dns() {
    const resolver = new dns.promises.Resolver({ timeout: 1, tries: 1 });
    resolver.setServers(['203.0.113.53']);
    await resolver.resolve4('evil.example').catch(() => {});
  },
  async by_a_socket() {
    const socket = net.connect(9, '203.0.113.66');
    await new Promise((resolve) => socket.on('error', resolve));
  },
  under_a_false_name() {
    vm.runInThisContext('(function send(f) { return f.readFileSync("/tmp/there"); })', { filename: '/var/task/node_modules/@aws-sdk/client-s3/index.js' })(fs);
  },
  async by_spawn() {
    await require('starter').spawn();
  },
  async by_exec() {
    await require('starter').exec();
  },
  async by_exec_file() {
    await require('starter').execFile();
  },
  async by_fork() {
    await require('starter').fork();
  },
  by_spawn_sync() {
    childProcess.spawnSync('/bin/true');
  },
  by_exec_sync() {
    quietly(() => childProcess.execSync('true'));
  },
  async by_spawn_after_await() {
    await after(1);
    childProcess.spawn('/bin/true').on('error', () => {});
    await after(1);
  },
  async by_spawn_in_a_worker() {
    await once(new Worker(require.resolve('./worker.js'), { workerData: '/bin/true' }), 'exit');
  },
  async by_spawn_of_many_at_once() {
    const starter = require('starter');
    const worker = once(new Worker(require.resolve('./worker.js'), { workerData: '/bin/true' }), 'exit');
    await Promise.all([worker, ...Array.from({ length: 10 }, () => starter.spawn())]);
  },
};

async function main() {
  for (const way of process.argv.slice(2)) {
    fs.writeSync(2, `--- ${way}\n`);
    await ways[way]();
    await after(2);
  }
}

if (require.main === module) main();
else exports.ways = ways;
