/* `shield --help`, `shield --version`, and the error for unknown arguments. */
#ifndef SHIELD_USAGE_H
#define SHIELD_USAGE_H

#ifndef SHIELD_VERSION
#error "build with -DSHIELD_VERSION: the distribution's version as a string"
#endif

/* <sysexits.h>: EX_USAGE and EX_CONFIG. libshield.so's constructor exits with 78 as well. */
enum { EXIT_USAGE = 64, EXIT_REFUSED = 78 };

int usage_help(int argc, char **argv, char **envp);
int usage_version(int argc, char **argv, char **envp);
/* Prints the usage on stderr, naming the argument that is not understood (NULL: none was given). */
int usage_error(const char *argument);
/* Flushes stdout, and returns a command's exit status: 1 when not all output could be written. */
int finish_output(void);

#endif
