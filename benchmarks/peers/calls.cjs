// Calls that a JavaScript program makes, timed as by calls.c: lines "NAME COUNT THREADS" in, nanoseconds out.
'use strict';
const fs = require('node:fs');

const calls = {
  js_open: () => fs.closeSync(fs.openSync('/etc/passwd', 'r')),
};

require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, count] = line.split(' ');
  const began = process.hrtime.bigint();
  for (let i = 0; i < Number(count); i++) calls[name]();
  fs.writeSync(1, `${Number(process.hrtime.bigint() - began) / Number(count)}\n`);
});
