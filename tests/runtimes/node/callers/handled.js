'use strict';
const childProcess = require('node:child_process');

// Where it is tried under Lambda's own client: a file, and a program.
exports.handler = async function handler() {
  require('@acme/opener').open('/tmp/there');
  childProcess.spawnSync('/bin/true');
  return 'done';
};
