/* `shield doctor [--json] [--program PATH]`: what this machine or sandbox allows. */
#ifndef SHIELD_DOCTOR_H
#define SHIELD_DOCTOR_H

int run_doctor(int argc, char **argv, char **envp);

#endif
