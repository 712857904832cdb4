/* Runtimes whose workers are threads of one process, each of which loads the handler: Node.js on Lambda Managed Instances.
 * The first asks for work, which closes the handler, before the last has loaded it.
 *
 * So there the handler's files are counted. A load takes as many opens as one thread made of the file until the first
 * request for work, by when one worker has loaded it: one, two where Node.js looks first which kind of module it is, none of
 * a file that loading does not need. All workers together have so many each, and no more.
 */
#ifndef SHIELD_NODE_WORKERS_H
#define SHIELD_NODE_WORKERS_H

#include "../../core/text.h"

/* How many workers the client of Node.js starts. `wish`: AWS_LAMBDA_NODEJS_WORKER_COUNT, empty where it is not set. */
uint32_t count_node_workers(struct text wish);
/* Before a handler's file, by its place in sealed.handlers, is opened for reading alone: counts it. Is it one of the opens
 * that the workers' loads take? */
bool is_worker_load(uint32_t handler);

#endif
