// SPDX-License-Identifier: MIT
/*
 * A guest, as far as its disk goes: writes numbered blocks to an NBD export without
 * pause, reads them back, or looks later which of them an image holds.
 *
 *     nbd write SOCKET EXPORT[,EXPORT] SEED STATE
 *         until SIGTERM; STATE is a mapped file: how many writes were acknowledged
 *     nbd acked STATE
 *         prints that number
 *     nbd files FILE[,FILE] SEED STATE
 *         as write, into files of one size
 *     nbd read SOCKET EXPORT SEED
 *         times random reads until SIGTERM; prints JSON
 *     nbd check FILE[,FILE] SEED [AT_LEAST AT_MOST]
 *         whether the images are of one moment: see below
 *     nbd loss FILE[,FILE] SEED FLUSHED MOST
 *         what may be left of writes 1 to MOST when those up to FLUSHED were flushed,
 *         which is done after each 256
 *
 * Write number n goes to block place(n) (of several disks of one size, in turn), and says
 * n, the block and noise made of n in its 4096 bytes. One write is under way at a time.
 * So images of one moment hold the effect of the writes 1 to k for some k and of no
 * others: check finds k, proves that, and prints it. Exit status 1: they do not, or k is
 * out of bounds.
 */
#include "util/macros.h"

#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define BLOCK      4096U
#define WORDS      (BLOCK / sizeof(uint64_t))
#define MOST_DISKS 4U

/* https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md */
#define NBD_MAGIC        0x4e42444d41474943ULL
#define NBD_IHAVEOPT     0x49484156454f5054ULL
#define NBD_REPLY_MAGIC  0x3e889045565a9ULL
#define NBD_REQUEST      0x25609513U
#define NBD_SIMPLE_REPLY 0x67446698U
#define NBD_OPT_GO       7U
#define NBD_REP_ACK      1U
#define NBD_REP_INFO     3U
enum { NBD_READ = 0, NBD_WRITE = 1, NBD_DISC = 2, NBD_FLUSH = 3 };

static volatile sig_atomic_t stopped;

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Disks follow each other, each of n_blocks. */
static uint64_t place(uint64_t seed, uint64_t number, uint64_t n_blocks, uint64_t n_disks)
{
	return number % n_disks * n_blocks +
	       mix(seed ^ (number * 0x9e3779b97f4a7c15ULL)) % n_blocks;
}

static void make_block(uint64_t *block, uint64_t seed, uint64_t number, uint64_t at)
{
	block[0] = number;
	block[1] = at;
	for (size_t i = 2; i < WORDS; i++)
		block[i] = mix(seed + number * WORDS + i);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* ---- the protocol ---- */

static void put(int fd, const void *data, size_t len)
{
	for (const char *at = data; len > 0;) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			err(2, "nbd: sending");
		at += n;
		len -= (size_t)n;
	}
}

static void get(int fd, void *data, size_t len)
{
	for (char *at = data; len > 0;) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(2, "nbd: receiving");
		if (n == 0)
			errx(2, "nbd: the server hung up");
		at += n;
		len -= (size_t)n;
	}
}

static void negotiate(int fd, const char *export, uint64_t *ret_size)
{
	struct {
		uint64_t magic, option_magic;
		uint16_t flags;
	} __attribute__((packed)) hello;
	uint32_t flags = htobe32(3); /* fixed newstyle, no zeroes */
	uint32_t name_len = (uint32_t)strlen(export);
	struct {
		uint64_t magic;
		uint32_t option, len, name_len;
	} __attribute__((packed)) go = { htobe64(NBD_IHAVEOPT), htobe32(NBD_OPT_GO),
					 htobe32(name_len + 6), htobe32(name_len) };
	uint16_t n_infos = 0;

	get(fd, &hello, sizeof(hello));
	if (be64toh(hello.magic) != NBD_MAGIC ||
	    be64toh(hello.option_magic) != NBD_IHAVEOPT)
		errx(2, "nbd: not a newstyle server");
	put(fd, &flags, sizeof(flags));
	put(fd, &go, sizeof(go));
	put(fd, export, name_len);
	put(fd, &n_infos, sizeof(n_infos));
	for (;;) {
		struct {
			uint64_t magic;
			uint32_t option, type, len;
		} __attribute__((packed)) reply;
		unsigned char data[1024];

		get(fd, &reply, sizeof(reply));
		if (be64toh(reply.magic) != NBD_REPLY_MAGIC ||
		    be32toh(reply.len) > sizeof(data))
			errx(2, "nbd: a reply without sense");
		get(fd, data, be32toh(reply.len));
		if (be32toh(reply.type) == NBD_REP_ACK)
			return;
		if (be32toh(reply.type) != NBD_REP_INFO)
			errx(2, "nbd: export '%s' refused", export);
		if (be32toh(reply.len) == 12 && data[0] == 0 && data[1] == 0) {
			uint64_t size;

			memcpy(&size, data + 2, sizeof(size));
			*ret_size = be64toh(size);
		}
	}
}

static int connect_to(const char *path, const char *export, uint64_t *ret_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		err(2, "socket");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(2, "%s", path);
	negotiate(fd, export, ret_size);
	return fd;
}

static void request(int fd, uint16_t type, uint64_t offset, uint32_t len, void *data)
{
	static uint64_t handle;
	struct {
		uint32_t magic;
		uint16_t flags, type;
		uint64_t handle, offset;
		uint32_t len;
	} __attribute__((packed))
	ask = { htobe32(NBD_REQUEST), 0,           htobe16(type), ++handle,
		htobe64(offset),      htobe32(len) };
	struct {
		uint32_t magic, error;
		uint64_t handle;
	} __attribute__((packed)) answer;

	put(fd, &ask, sizeof(ask));
	if (type == NBD_WRITE)
		put(fd, data, len);
	if (type == NBD_DISC)
		return;
	get(fd, &answer, sizeof(answer));
	if (be32toh(answer.magic) != NBD_SIMPLE_REPLY || answer.handle != ask.handle)
		errx(2, "nbd: an answer without sense");
	if (answer.error)
		errx(3, "nbd: error %u in request %u at %llu", be32toh(answer.error),
		     type, (unsigned long long)offset);
	if (type == NBD_READ)
		get(fd, data, len);
}

/* ---- the modes ---- */

static volatile uint64_t *map_state(const char *path, bool create)
{
	int fd = open(path, O_RDWR | (create ? O_CREAT : 0) | O_CLOEXEC, 0600);
	void *at;

	if (fd < 0 || (create && ftruncate(fd, sizeof(uint64_t)) < 0))
		err(2, "%s", path);
	at = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		err(2, "%s", path);
	(void)close(fd);
	return at;
}

struct guest {
	bool files; /* without a server */
	int fd[MOST_DISKS];
	uint64_t n_disks, n_blocks, seed;
	uint64_t *last; /* for each block the number of the last write */
};

static void guest_request(const struct guest *guest, uint16_t type, uint64_t at,
			  void *data)
{
	int fd = guest->fd[at / guest->n_blocks];
	off_t off = (off_t)(at % guest->n_blocks * BLOCK);

	if (!guest->files)
		request(fd, type, (uint64_t)off, BLOCK, data);
	else if ((type == NBD_WRITE ? pwrite(fd, data, BLOCK, off)
				    : pread(fd, data, BLOCK, off)) != BLOCK)
		err(2, "disk %llu", (unsigned long long)(at / guest->n_blocks));
}

static void guest_flush(const struct guest *guest)
{
	for (uint64_t i = 0; i < guest->n_disks; i++) {
		if (guest->files)
			(void)fdatasync(guest->fd[i]);
		else
			request(guest->fd[i], NBD_FLUSH, 0, 0, NULL);
	}
}

static void guest_connect(struct guest *guest, const char *path, char *exports)
{
	for (char *name = strtok(exports, ","); name; name = strtok(NULL, ",")) {
		uint64_t size = 0;

		if (guest->n_disks == MOST_DISKS)
			errx(2, "too many disks");
		if (guest->files) {
			struct stat st;
			int fd = open(name, O_RDWR | O_CLOEXEC);

			if (fd < 0 || fstat(fd, &st) < 0)
				err(2, "%s", name);
			size = (uint64_t)st.st_size;
			guest->fd[guest->n_disks++] = fd;
		} else {
			guest->fd[guest->n_disks++] = connect_to(path, name, &size);
		}
		guest->n_blocks = size / BLOCK;
	}
	guest->last = calloc(guest->n_disks * guest->n_blocks, sizeof(*guest->last));
	if (!guest->last)
		err(2, "memory");
}

static void read_back(const struct guest *guest, uint64_t at)
{
	uint64_t found[WORDS], wanted[WORDS], number = guest->last[at];

	guest_request(guest, NBD_READ, at, found);
	if (number == 0)
		return;
	make_block(wanted, guest->seed, number, at);
	if (memcmp(found, wanted, BLOCK) != 0)
		errx(1, "read back: block %llu holds write %llu, not %llu",
		     (unsigned long long)at, (unsigned long long)found[0],
		     (unsigned long long)number);
}

/* Continues where STATE says that an earlier one ended. Without a path exports are
   files. */
static int write_on(const char *path, char *exports, uint64_t seed, const char *state)
{
	volatile uint64_t *acked = map_state(state, true);
	struct guest guest = { .seed = seed, .files = path == NULL };

	guest_connect(&guest, path, exports);

	uint64_t n_all = guest.n_disks * guest.n_blocks;

	for (uint64_t n = 1; n <= *acked; n++)
		guest.last[place(seed, n, guest.n_blocks, guest.n_disks)] = n;
	while (!stopped) {
		uint64_t number = *acked + 1;
		uint64_t at = place(seed, number, guest.n_blocks, guest.n_disks);
		uint64_t block[WORDS];

		make_block(block, seed, number, at);
		guest_request(&guest, NBD_WRITE, at, block);
		guest.last[at] = number;
		*acked = number;
		if (number % 8 == 0)
			read_back(&guest, mix(number) % n_all);
		if (number % 256 == 0)
			guest_flush(&guest);
	}
	guest_flush(&guest);
	for (uint64_t at = 0; at < n_all; at++)
		read_back(&guest, at);
	for (uint64_t i = 0; i < guest.n_disks && path; i++)
		request(guest.fd[i], NBD_DISC, 0, 0, NULL);
	free(guest.last);
	return 0;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int read_on(const char *path, const char *export, uint64_t seed)
{
	enum { MOST = 4000000 };
	_cleanup_free_ uint64_t *took = calloc(MOST, sizeof(*took));
	struct timespec pause = { .tv_nsec = 500000 };
	uint64_t size = 0, n = 0;
	int fd = connect_to(path, export, &size);

	if (!took)
		err(2, "memory");
	while (!stopped && n < MOST) {
		uint64_t block[WORDS], begun = now_ns();

		request(fd, NBD_READ, mix(seed + n) % (size / BLOCK) * BLOCK, BLOCK,
			block);
		took[n++] = now_ns() - begun;
		(void)nanosleep(&pause, NULL);
	}
	qsort(took, n, sizeof(*took), by_size);
	if (n > 0)
		(void)printf("{\"reads\":%llu,\"p50_ns\":%llu,\"p99_ns\":%llu,"
			     "\"max_ns\":%llu}\n",
			     (unsigned long long)n, (unsigned long long)took[n / 2],
			     (unsigned long long)took[n - 1 - n / 100],
			     (unsigned long long)took[n - 1]);
	return n > 0 ? 0 : 1;
}

struct images {
	const uint64_t *blocks[MOST_DISKS];
	uint64_t n_disks, n_blocks;
};

static const uint64_t *image_block(const struct images *images, uint64_t at)
{
	return images->blocks[at / images->n_blocks] + at % images->n_blocks * WORDS;
}

static void images_map(struct images *images, char *files)
{
	for (char *name = strtok(files, ","); name; name = strtok(NULL, ",")) {
		int fd = open(name, O_RDONLY | O_CLOEXEC);
		struct stat st;
		void *at;

		if (fd < 0 || fstat(fd, &st) < 0 || images->n_disks == MOST_DISKS)
			err(2, "%s", name);
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			err(2, "%s", name);
		(void)close(fd);
		images->blocks[images->n_disks++] = at;
		images->n_blocks = (uint64_t)st.st_size / BLOCK;
	}
}

/* The highest write number in the images; 0: none. */
static uint64_t find_last(const struct images *images, uint64_t seed)
{
	uint64_t found = 0;

	for (uint64_t at = 0; at < images->n_disks * images->n_blocks; at++) {
		const uint64_t *block = image_block(images, at);

		if (block[1] == at && block[2] == mix(seed + block[0] * WORDS + 2))
			found = MAX(found, block[0]);
	}
	return found;
}

static int check(char *files, uint64_t seed, uint64_t at_least, uint64_t at_most)
{
	struct images images = { 0 };

	images_map(&images, files);

	uint64_t n_all = images.n_disks * images.n_blocks;
	uint64_t end = find_last(&images, seed);
	_cleanup_free_ uint64_t *last = calloc(n_all, sizeof(*last));

	if (!last)
		err(2, "memory");
	for (uint64_t n = 1; n <= end; n++)
		last[place(seed, n, images.n_blocks, images.n_disks)] = n;
	for (uint64_t at = 0; at < n_all; at++) {
		uint64_t wanted[WORDS];

		make_block(wanted, seed, last[at], at);
		if (last[at] && memcmp(image_block(&images, at), wanted, BLOCK) != 0)
			errx(1,
			     "torn: of %llu writes, block %llu should hold number %llu "
			     "and holds %llu",
			     (unsigned long long)end, (unsigned long long)at,
			     (unsigned long long)last[at],
			     (unsigned long long)image_block(&images, at)[0]);
	}
	(void)printf("%llu\n", (unsigned long long)end);
	if (end < at_least || end > at_most)
		errx(1, "holds %llu writes, not %llu to %llu", (unsigned long long)end,
		     (unsigned long long)at_least, (unsigned long long)at_most);
	return 0;
}

/*
 * After QEMU was killed: each block holds the last of the writes up to flushed that went
 * to it, or one of those behind it up to most, in whatever order they reached the disk.
 */
static int check_loss(char *files, uint64_t seed, uint64_t flushed, uint64_t most)
{
	struct images images = { 0 };

	images_map(&images, files);

	uint64_t n_all = images.n_disks * images.n_blocks;
	_cleanup_free_ uint64_t *last = calloc(n_all, sizeof(*last));

	if (!last)
		err(2, "memory");
	for (uint64_t n = 1; n <= flushed; n++)
		last[place(seed, n, images.n_blocks, images.n_disks)] = n;
	for (uint64_t at = 0; at < n_all; at++) {
		const uint64_t *block = image_block(&images, at);
		uint64_t holds = block[0], wanted[WORDS] = { 0 };

		if (holds != 0)
			make_block(wanted, seed, holds, at);
		if (holds < last[at] || holds > most ||
		    memcmp(block, wanted, BLOCK) != 0 ||
		    (holds != 0 &&
		     place(seed, holds, images.n_blocks, images.n_disks) != at))
			errx(1,
			     "block %llu should hold number %llu or a later one and "
			     "holds %llu",
			     (unsigned long long)at, (unsigned long long)last[at],
			     (unsigned long long)holds);
	}
	return 0;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	const char *mode = argc > 1 ? argv[1] : "";

	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 6 && strcmp(mode, "write") == 0)
		return write_on(argv[2], argv[3], number(argv[4]), argv[5]);
	if (argc == 5 && strcmp(mode, "files") == 0)
		return write_on(NULL, argv[2], number(argv[3]), argv[4]);
	if (argc == 5 && strcmp(mode, "read") == 0)
		return read_on(argv[2], argv[3], number(argv[4]));
	if (argc == 3 && strcmp(mode, "acked") == 0) {
		(void)printf("%llu\n", (unsigned long long)*map_state(argv[2], false));
		return 0;
	}
	if ((argc == 4 || argc == 6) && strcmp(mode, "check") == 0)
		return check(argv[2], number(argv[3]), argc == 6 ? number(argv[4]) : 0,
			     argc == 6 ? number(argv[5]) : UINT64_MAX);
	if (argc == 6 && strcmp(mode, "loss") == 0)
		return check_loss(argv[2], number(argv[3]), number(argv[4]),
				  number(argv[5]));
	errx(2, "usage: nbd write|files|read|acked|check|loss ...");
}
