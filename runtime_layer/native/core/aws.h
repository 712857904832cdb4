/* Which host names are AWS service endpoints, from a table generated from botocore's endpoint rule sets.
 *
 * Never a wildcard under amazonaws.com: EC2 public names, load balancers, execute-api, function URLs, S3
 * websites and CloudFront are an attacker's to create.
 */
#ifndef SHIELD_AWS_H
#define SHIELD_AWS_H

#include "text.h"

/* The index of a service by its botocore name ("s3", "dynamodb"); false when there is none. */
bool aws_service_index(struct text service, uint16_t *index);
struct text aws_service_name(uint16_t index);
/* Is `host` (canonical, lower case) an endpoint of a service in `region`, or of a global service of the
 * region's partition? `services` (sorted or not) narrows it; count 0 means every service. */
bool aws_is_endpoint(struct text host, struct text region, const uint16_t *services, uint32_t count);

#endif
