// SPDX-License-Identifier: MIT
/*
 * deny ERRNO COMMAND...: runs it where each clone call fails with that number, as the
 * filter of a container has it (seccomp(2)).
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(99, "usage: deny ERRNO COMMAND...");

	/* The requests fit into the low half of the argument. */
	unsigned int low = offsetof(struct seccomp_data, args[1]) +
			   (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
	unsigned int number = (unsigned int)atoi(argv[1]) & SECCOMP_RET_DATA;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FICLONE, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FICLONERANGE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		err(99, "seccomp");
	execvp(argv[2], argv + 2);
	err(99, "%s", argv[2]);
}
