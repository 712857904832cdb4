/* `shield PROGRAM [ARGUMENT]...`: shielded, or not at all. */
#ifndef SHIELD_LAUNCH_H
#define SHIELD_LAUNCH_H

/* Replaces this process; returns an exit status only when nothing could be started. */
int launch(char **argv, char **envp);

#endif
