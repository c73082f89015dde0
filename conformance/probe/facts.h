#ifndef FACTS_H
#define FACTS_H
void facts(char **argv);
int receive(const char *path, const char *kind);
#endif
