"""Host names that carry data, and those of people and services, which must not be taken for it."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function_monitoring.learning.hosts import looks_like_data, words_look_like_data

pytestmark = pytest.mark.promise("cli.learn")

# What stands for the star, or the bucket, in names as they are given in the world, by who gives them.
USUAL = {
    "S3 buckets: by hand, by the CDK, CloudFormation, Serverless, Amplify, Elastic Beanstalk and AWS itself": """
        my-company-prod-data-lake-123456789012-us-east-1 cdk-hnb659fds-assets-123456789012-eu-central-1
        cdktoolkit-stagingbucket-1a2b3c4d5e6f7 checkoutstack-uploads4f6a27c8-1k9v3q0w2e7rt
        production-websitebucket75c24d94-x1y2z3a4b5c6 pipelinestack-artifactsbucket2aac5544-p4q9r2s7t1u3
        my-service-dev-serverlessdeploymentbucket-1x6jug5lzfnl7 amplify-shop-dev-104523-deployment
        elasticbeanstalk-us-east-1-123456789012 aws-cloudtrail-logs-123456789012-a1b2c3d4
        aws-glue-assets-123456789012-us-east-1 sagemaker-us-east-1-123456789012 codepipeline-us-east-1-123456789012
        config-bucket-123456789012 terraform-state-20240131093012345600000001 athena-query-results-2024
        static.assets.example.com 2024-11-24-backup
    """,
    "Snowflake, MongoDB Atlas, Auth0, Okta, Azure, Google, Neon, PlanetScale, Sentry, Datadog, Confluent, Firebase": """
        xy12345 ab12345.us-east-2.aws myorg-account1 myorganisation-prod_reporting cluster0-shard-00-02.ab1cd
        _mongodb._tcp.cluster0.ab1cd dev-a1b2c3d4e5f6g7h8.us dev-12345678 contosoprodstorage01.blob
        contoso-prod-servicebus 0a1b2c3d-1234-5678-9abc-def012345678.ods.opinsights
        my-project-123456-default-rtdb.europe-west1 my-service-a1b2c3d4e5-uc.a
        ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws aws.connect o123456.ingest.us http-intake.logs
        pkc-4r297.europe-west1.gcp lkc-1a2b3c-4d5e6f.us-east-1 a1b2c3d4e5-dsn
    """,
    "AWS, listed by hand": """
        a1b2c3d4e5.execute-api.us-east-1 a3k8fj2m9xq1zp-ats.iot.us-east-1 db-1.c9akciq32rgx.eu-west-1
        vpce-0a1b2c3d4e5f6a7b8-1a2b3c4d-us-east-1a.sqs.us-east-1 d111111abcdef8
    """,
    "Kubernetes, hosts, pods, releases": """
        checkout-api-7d4b9c6f8d-x2k9q ip-10-0-123-234.eu-west-1 postgres-0.postgres-headless.shop.svc
        pr-1234-feature-new-login-page.preview frontend-git-main-myteam v2 www eu-central-1 xn--r8jz45g xn--bcher-kva
    """,
}

# A secret on its way out.
DATA = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "4f2a9c0b7e1d8f3a6b5c4d2e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "mfzg4y3bnbrw6zlsorsw4y3f",
    "mfzg4y3bnbrw6zlsorsw4y3fonqxezlqonxw4",
    "jbswy3dpeblw64tmmqqq2hc3dpfqqho33s",
    "qwtjqvtpzg5nn1b2vwzyt0xkqkvyexampl",
    "nq8zq-5u2hb1r0x9wv3m_kc7jy4ftdl6pgs8ia2oe5xn9z",
    "wjalrxutnfemi-k7mdeng-bpxrficyexamplekey4f2a9c0b7e1d8f3a",
    "akiaiosfodnn7example.wjalrxutnfemik7mdengbpxrficyexamplekey",
    "4f2a9c0b7e1d.8f3a6b5c4d2e.1f0a9b8c7d6e.5f4a3b2c1d0e",
    "x.4f2a9c0b7e1d8f3a6b5c4d2e1f0a9b8c.1",
    "4f2a9c0b-7e1d8f3a-6b5c4d2e-1f0a9b8c-7d6e5f4a",
    # Services whose own names are random: to be listed one by one
    "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1",
    "search-logs-7x2kq9w4m1p8r5t3v6y0zabcde.us-east-1",
    "my-point-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias",
    ".".join(["abcdefgh"] * 8),  # more than one label's worth, whatever it says
]


@pytest.mark.parametrize("labels", ["", *(name for names in USUAL.values() for name in names.split()), *DATA])
def test_usual_names_and_data(labels: str) -> None:
    assert looks_like_data(f"{labels}.example.com") == (labels in DATA)
    assert labels in DATA or not words_look_like_data(labels)


@given(payload=st.binary(min_size=20, max_size=31), place=st.sampled_from(["{}", "{}.a", "a.{}.b", "p-{}", "{}-1"]))
def test_16_bytes_in_hexadecimal_and_20_in_base32_are_data(payload: bytes, place: str) -> None:
    assert words_look_like_data(place.format(payload[4:].hex()))
    assert words_look_like_data(place.format(base64.b32encode(payload).decode().lower().rstrip("=")))


def test_most_that_is_sent_in_base64_is_data() -> None:
    """Base64 for URLs has hyphens and underscores, so it comes in words: a few of a thousand pass one label."""
    random_ = random.Random(4)
    labels = [base64.urlsafe_b64encode(random_.randbytes(47)).decode().lower() for _ in range(1000)]
    seen = sum(words_look_like_data(label) for label in labels)
    assert seen > 980


@given(words=st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), min_size=1, max_size=4))
def test_words_are_not_data(words: list[str]) -> None:
    for name in ("-".join(words), ".".join(words), "_".join([*words, "2024"])):
        assert not looks_like_data(f"{name}.example.com")
