/* The host names of AWS service endpoints, from a table generated from botocore's endpoint rule sets.
 *
 * No wildcard under amazonaws.com is admitted: an attacker can create EC2 public names, load balancers, execute-api,
 * function URLs, S3 websites and CloudFront names.
 */
#ifndef SHIELD_AWS_H
#define SHIELD_AWS_H

#include "text.h"

/* The index of a service by its botocore name ("s3", "dynamodb"); false when there is none. */
bool aws_service_index(struct text service, uint16_t *index);
struct text aws_service_name(uint16_t index);
/* The services and the place whose endpoints are admitted. */
struct aws_limits {
    struct text region;  /* the function's own; nothing is admitted without it */
    struct text account; /* the function's own, for host names that have one; empty: any */
    struct text
        buckets; /* names with commas between them: the only ones of S3, for any `services`; empty: any */
    const uint16_t *services; /* sorted or not */
    uint32_t service_count;
    bool every_service;
};

/* Whether `host` (canonical, lower case) is an endpoint of one of the services: in the region, or global in the region's
 * partition. */
bool aws_is_endpoint(struct text host, const struct aws_limits *limits);
/* All these endpoints, one a line. An open part is a token in capitals: L (a label, or the rest of one), B (a bucket), C (a
 * cell's number), Z (a zone of S3 Express), A (an account, where it is unknown); see aws.c. */
void aws_write_endpoints(const struct aws_limits *limits, struct writer *w);
/* Whether this is a valid name of a bucket that can stand in a host name. */
bool aws_is_bucket(struct text name);

#endif
