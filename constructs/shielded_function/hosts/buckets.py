"""S3: buckets, directory buckets, and access points, which are listed by their alias."""

from __future__ import annotations

from typing import Final

from .entry import BUCKET, Row, host

_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"

ROWS: Final = (
    Row(
        "an S3 bucket",
        ("aws_s3.BucketBase", "aws_s3.IBucket"),
        host("bucket_name", BUCKET),
        f"{_REFERENCE}/aws-resource-s3-bucket.html",
        "allow_buckets",
    ),
    Row(
        "a CfnBucket of S3",
        ("aws_s3.CfnBucket",),
        host("ref", BUCKET),
        f"{_REFERENCE}/aws-resource-s3-bucket.html",
        "allow_buckets",
    ),
    Row(
        "a CfnDirectoryBucket of S3 Express",
        ("aws_s3express.CfnDirectoryBucket",),
        host("ref", BUCKET),
        f"{_REFERENCE}/aws-resource-s3express-directorybucket.html",
        "allow_buckets",
    ),
    Row(
        "a CfnAccessPoint of S3",
        ("aws_s3.CfnAccessPoint",),
        host("attr_alias", BUCKET),
        f"{_REFERENCE}/aws-resource-s3-accesspoint.html",
        "allow_buckets",
    ),
)
