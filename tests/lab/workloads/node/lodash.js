// Groups.
"use strict";

const { told } = require("./outcome.js");
const _ = require("lodash");

exports.handler = told(() => _.groupBy([1, 2, 3], (each) => each % 2));
