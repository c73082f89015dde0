/* What the demo runs where the host has no static busybox. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char name[65] = "";

	gethostname(name, sizeof name);
	printf("I am %d on %s, pid %d\n", (int)getuid(), name, (int)getpid());
	return 0;
}
