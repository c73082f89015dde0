/* receive SOCKET [seccomp]: listens, takes one message with its descriptors, prints both. Then copies what a terminal says, or
 * answers each seccomp notification with EDOM. */
#define _GNU_SOURCE
#include "facts.h"
#include "json.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void answer(int listener)
{
	static char request[4096], reply[4096]; /* larger than any kernel's structures */

	for (;;) {
		struct seccomp_notif *asked = (void *)request;
		struct seccomp_notif_resp *told = (void *)reply;

		memset(request, 0, sizeof request);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		memset(reply, 0, sizeof reply);
		told->id = asked->id;
		told->error = -EDOM;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, told);
	}
}

int receive(const char *path, const char *kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char data[16384], control[CMSG_SPACE(16 * sizeof(int))], text[4096];
	struct iovec part = { data, sizeof data };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer, fd = -1, count = 0;
	struct cmsghdr *header;
	ssize_t n, more;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 4) < 0) {
		perror(path);
		return 1;
	}
	json_raw("{\"ready\":1}\n");
	json_flush();
	peer = accept(listener, NULL, NULL);
	n = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
	for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_type == SCM_RIGHTS) {
			count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(&fd, CMSG_DATA(header), sizeof fd);
		}
	while (kind && n > 0 && n < (ssize_t)sizeof data && (more = recv(peer, data + n, sizeof data - n, 0)) > 0)
		n += more;
	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	json_raw("{\"count\":%d,\"terminal\":%d", count, isatty(fd));
	json_key("data"), json_string(data, n > 0 ? n : 0);
	{
		char target[4096];
		ssize_t length = readlink(text, target, sizeof target);

		json_key("link"), json_string(target, length > 0 ? length : 0);
	}
	json_raw("}\n");
	json_flush();
	if (kind)
		answer(fd);
	else
		while ((n = read(fd, data, sizeof data)) > 0 || (n < 0 && errno == EINTR))
			if (write(1, data, n) < 0)
				return 1;
	return 0;
}
