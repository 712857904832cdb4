// Says what it was called with, to the process that started it.
process.send(process.argv[2]);
