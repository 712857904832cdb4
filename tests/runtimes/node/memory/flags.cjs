'use strict';
// Each way to V8's flags, by name: what it says.
const { spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const FLAG = '--expose-gc';
const ELSEWHERE = `require('node:v8').setFlagsFromString('${FLAG}'); console.log('changed')`;
const inWorker = (options) =>
  new Promise((done) => new Worker(ELSEWHERE, { eval: true, ...options }).on('error', (e) => done(e.code)).on('exit', done));
const WAYS = {
  require: () => require('v8').setFlagsFromString(FLAG),
  import: async () => (await import('node:v8')).setFlagsFromString(FLAG),
  builtin: () => process.getBuiltinModule('v8').setFlagsFromString(FLAG),
  binding: () => process.binding('v8').setFlagsFromString(FLAG),
  harmless: () => require('v8').setFlagsFromString('--stack-size=900'),
  not_text: () => require('v8').setFlagsFromString(1),
  worker: () => inWorker({}),
  // They do without the preload.
  bare_worker: () => inWorker({ env: {}, execArgv: [] }),
  internals: () =>
    new Promise((done) => {
      const change = `require('internal/test/binding').internalBinding('v8').setFlagsFromString('${FLAG}')`;
      new Worker(change, { eval: true, execArgv: ['--expose-internals'] }).on('exit', done);
    }),
  bare_child: () => {
    const bare = spawnSync(process.execPath, ['-e', `new (require('node:worker_threads').Worker)(\`${ELSEWHERE}\`, { eval: true, env: {} })`]);
    return `${bare.stdout}`.trim() || bare.signal || bare.status;
  },
  flag_of_child: () => `${spawnSync(process.execPath, [FLAG, '-p', 'typeof gc']).stdout}`.trim(),
};
process.noDeprecation = true;
(async () => {
  for (const way of process.argv.slice(2)) {
    let said;
    try {
      said = await WAYS[way]();
    } catch (error) {
      said = error.code ?? error.message;
    }
    console.log(`${way}: ${said}`);
  }
})();
