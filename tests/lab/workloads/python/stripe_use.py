# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks an API as Stripe's."""

import os

import stripe
from outcome import told

stripe.ca_bundle_path = os.environ["SSL_CERT_FILE"]
client = stripe.StripeClient("sk_test_k", base_addresses={"api": "https://api.example"}, max_network_retries=0)


def use():
    return client.v1.balance.retrieve().to_dict()


handler = told(use)
