/* What the probe can do to files, memory, processes and system calls. Each prints one JSON value or is silent. */
#ifndef ACTIONS_H
#define ACTIONS_H
int act(const char *name, int count, char **words); /* 0: no such action */
#endif
