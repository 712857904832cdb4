// Puts an object into a bucket, and reads it.
"use strict";

const { told } = require("./outcome.js");
const { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand } = require("@aws-sdk/client-s3");

const client = new S3Client({});

exports.handler = told(async () => {
  const place = { Bucket: "workloads", Key: "key" };
  await client.send(new CreateBucketCommand({ Bucket: place.Bucket }));
  await client.send(new PutObjectCommand({ ...place, Body: "content" }));
  return (await client.send(new GetObjectCommand(place))).Body.transformToString();
});
