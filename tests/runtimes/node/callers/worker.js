'use strict';
const { workerData } = require('node:worker_threads');

function work() {
  if (workerData.startsWith('/tmp/')) require('reader').read(workerData);
  else require('node:child_process').spawnSync(workerData);
}

work();
