// Validates an event.
"use strict";

const { told } = require("./outcome.js");
const { z } = require("zod");

const Order = z.object({ id: z.coerce.number(), items: z.array(z.string()).default([]) });

exports.handler = told(() => [Order.parse({ id: "1" }), Order.safeParse({ id: "x" }).success]);
