// Asks an API as Stripe's.
"use strict";

const { told } = require("./outcome.js");
const Stripe = require("stripe");

const stripe = new Stripe("sk_test_k", { host: "api.example", maxNetworkRetries: 0, timeout: 5000 });

exports.handler = told(async () => (await stripe.balance.retrieve()).answer);
