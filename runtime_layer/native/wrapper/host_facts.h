/* Probes that only read: the kernel's name, this process, the file systems. */
#ifndef SHIELD_HOST_FACTS_H
#define SHIELD_HOST_FACTS_H

#include "probe_runner.h"

void fact_kernel(struct finding *f);
void fact_architecture(struct finding *f);
void fact_user(struct finding *f);
void fact_no_new_privs(struct finding *f);
void fact_seccomp_mode(struct finding *f);
void fact_tmp(struct finding *f);
void fact_opt(struct finding *f);
void fact_dev_shm(struct finding *f);
void fact_proc_fd(struct finding *f);
void fact_descriptors(struct finding *f);

#endif
