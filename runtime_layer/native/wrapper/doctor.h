/* `shield doctor [--json] [--program PATH]`: the abilities of this machine or sandbox. */
#ifndef SHIELD_DOCTOR_H
#define SHIELD_DOCTOR_H

int run_doctor(int argc, char **argv, char **envp);

#endif
