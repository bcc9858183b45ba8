// SPDX-License-Identifier: MIT
/*
 * snapshot DIR            prints what DIR holds, an entry a line, sorted
 * snapshot --age DIR      gives every entry that is new a time of its own, long past
 * snapshot --socket PATH  makes a socket
 *
 * Two trees that a command line left alike give the same listing. So it holds no inode
 * numbers, but the name by which the inode was met first; "new" for a time of the last
 * hour; and no size of a directory, which tells how the file system stores it. A content
 * is hashed without its zeros, for the data map tells holes and zeros apart.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* What --age gives out; all before FIRST_NEW, which is later than any time of a
   fixture. */
#define AGED       981173106  /* 2001-02-03 04:05:06 UTC */
#define FIRST_NEW  1577836800 /* 2020-01-01 */
#define BLOCK      4096
#define LISTED_MAX 65536 /* XATTR_LIST_MAX and XATTR_SIZE_MAX */

struct seen {
	dev_t dev;
	ino_t ino;
	char *path;
};

static void *all_seen;
static time_t now;
static unsigned int n_aged;

static int seen_compare(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->dev == y->dev ? 0 : x->dev < y->dev ? -1 : 1;
}

static void *allocate(size_t size)
{
	void *p = malloc(size);

	if (!p)
		err(99, "malloc");
	return p;
}

static void print_name(const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p <= ' ' || *p >= 0x7f || *p == '\\')
			printf("\\%03o", *p);
		else
			putchar(*p);
	}
}

static void print_time(const char *key, const struct timespec *t)
{
	if (t->tv_sec >= now - 3600 && t->tv_sec <= now + 60)
		printf(" %s=new", key);
	else
		printf(" %s=%jd.%09ld", key, (intmax_t)t->tv_sec, t->tv_nsec);
}

static void print_links(const struct stat *st, const char *path)
{
	struct seen *s, **found;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return;
	s = allocate(sizeof(*s));
	*s = (struct seen){ .dev = st->st_dev, .ino = st->st_ino, .path = strdup(path) };
	found = tsearch(s, &all_seen, seen_compare);
	if (!found || !s->path)
		err(99, "tsearch");
	printf(" links=%ju:", (uintmax_t)st->st_nlink);
	print_name((*found)->path);
}

static void hash_block(uint64_t *hash, uint64_t off, const unsigned char *p, size_t len)
{
	static const unsigned char zeros[BLOCK];

	if (memcmp(p, zeros, len) == 0)
		return;
	*hash = (*hash ^ off) * 0x100000001b3ULL;
	for (size_t i = 0; i < len; i++)
		*hash = (*hash ^ p[i]) * 0x100000001b3ULL;
}

static uint64_t hash_range(uint64_t hash, int fd, uint64_t off, uint64_t end)
{
	unsigned char buf[BLOCK];

	while (off < end) {
		size_t want = BLOCK - off % BLOCK;
		ssize_t n;

		if (want > end - off)
			want = end - off;
		n = pread(fd, buf, want, (off_t)off);
		if (n <= 0)
			break;
		hash_block(&hash, off, buf, (size_t)n);
		off += (uint64_t)n;
	}
	return hash;
}

/* Whether FD shares blocks with another file; only XFS tells so without a commit. */
static bool is_shared(int fd)
{
	char room[sizeof(struct fiemap) + 32 * sizeof(struct fiemap_extent)];
	struct fiemap *map = (struct fiemap *)(void *)room;

	memset(room, 0, sizeof(room));
	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_extent_count = 32;
	if (ioctl(fd, FS_IOC_FIEMAP, map) < 0)
		return false;
	for (unsigned int i = 0; i < map->fm_mapped_extents; i++) {
		if (map->fm_extents[i].fe_flags & FIEMAP_EXTENT_SHARED)
			return true;
	}
	return false;
}

static void print_content(int dir, const char *name, const struct stat *st)
{
	uint64_t hash = 0xcbf29ce484222325ULL, size = (uint64_t)st->st_size;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
	struct statfs fs;
	off_t data, hole = 0;

	if (fd < 0)
		err(99, "%s", name);
	printf(" data=");
	while ((data = lseek(fd, hole, SEEK_DATA)) >= 0) {
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			err(99, "%s", name);
		/* the end of a hole at the end of the file counts as well */
		printf("%s%jd-%jd", data ? "," : "", (intmax_t)data / BLOCK,
		       ((intmax_t)hole + BLOCK - 1) / BLOCK);
		hash = hash_range(hash, fd, (uint64_t)data, (uint64_t)hole);
		if ((uint64_t)hole >= size)
			break;
	}
	printf(" content=%016" PRIx64, hash);
	if (fstatfs(fd, &fs) == 0 && fs.f_type == XFS_SUPER_MAGIC && is_shared(fd))
		printf(" shared");
	close(fd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_attributes(const char *proc, const char *path)
{
	static char list[LISTED_MAX], value[LISTED_MAX];
	char *names[256];
	size_t n = 0;
	ssize_t len = llistxattr(proc, list, sizeof(list));

	for (char *p = list; len > 0 && p < list + len && n < 256; p += strlen(p) + 1)
		names[n++] = p;
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		ssize_t size = lgetxattr(proc, names[i], value, sizeof(value));

		print_name(path);
		printf(" @");
		print_name(names[i]);
		putchar('=');
		for (ssize_t k = 0; k < size; k++)
			printf("%02x", (unsigned char)value[k]);
		putchar('\n');
	}
}

static void print_entry(int dir, const char *name, const char *path,
			const struct stat *st)
{
	static const char types[] = "?pc?d?b?-?l?s???";
	char target[4096], proc[512];
	ssize_t n;

	print_name(path);
	printf(" %c%04o %ju:%ju", types[(st->st_mode & S_IFMT) >> 12],
	       st->st_mode & 07777, (uintmax_t)st->st_uid, (uintmax_t)st->st_gid);
	if (S_ISREG(st->st_mode))
		printf(" size=%jd", (intmax_t)st->st_size);
	print_time("m", &st->st_mtim);
	print_time("a", &st->st_atim);
	print_links(st, path);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf(" device=%u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (S_ISREG(st->st_mode))
		print_content(dir, name, st);
	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf(" -> ");
		print_name(target);
	}
	putchar('\n');
	/* listxattrat() is too young: by way of the directory's descriptor */
	if (dir == AT_FDCWD)
		snprintf(proc, sizeof(proc), "%s", name);
	else
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", dir, name);
	print_attributes(proc, path);
}

/* A time of its own for each entry, so that one that comes from another entry shows. */
static void age_entry(int dir, const char *name, const struct stat *st)
{
	struct timespec times[2];

	if (st->st_mtime < FIRST_NEW)
		return;
	n_aged++;
	times[1].tv_sec = AGED + (time_t)n_aged * 86400;
	times[1].tv_nsec = 123456789L + n_aged;
	times[0].tv_sec = times[1].tv_sec + 3600;
	times[0].tv_nsec = 987654321L - n_aged;
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		err(99, "utimensat %s", name);
}

static void walk(int dir, const char *name, const char *path, bool age);

static void walk_entries(int fd, const char *path, bool age)
{
	struct dirent **entries;
	int n = scandirat(fd, ".", &entries, NULL, NULL);

	if (n < 0)
		err(99, "%s", path);
	/* by bytes, whatever the locale */
	for (int i = 1; i < n; i++) {
		struct dirent *e = entries[i];
		int k = i;

		for (; k > 0 && strcmp(entries[k - 1]->d_name, e->d_name) > 0; k--)
			entries[k] = entries[k - 1];
		entries[k] = e;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char *below;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			if (asprintf(&below, "%s/%s", path, name) < 0)
				err(99, "asprintf");
			walk(fd, name, below, age);
			free(below);
		}
		free(entries[i]);
	}
	free(entries);
}

static void walk(int dir, const char *name, const char *path, bool age)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		err(99, "%s", path);
	if (!age)
		print_entry(dir, name, path, &st);
	if (S_ISDIR(st.st_mode)) {
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
		if (fd < 0)
			err(99, "%s", path);
		walk_entries(fd, path, age);
		close(fd);
	}
	if (age)
		age_entry(dir, name, &st);
}

/*
 * XFS lets go of a removed file's blocks some time later, and until then they count as
 * shared. This is the one call that waits for it; as in xfs_fs.h, which may not be here.
 */
static void settle(const char *dir)
{
	struct {
		uint32_t version, flags, uid, gid, prid, pad32;
		uint64_t min_file_size, pad64[12];
	} request = { .version = 1, .flags = 1 /* SYNC */ };
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		err(99, "%s", dir);
	if (fs.f_type == XFS_SUPER_MAGIC &&
	    ioctl(fd, _IOR('X', 58, request), &request) < 0)
		err(99, "XFS_IOC_FREE_EOFBLOCKS");
	close(fd);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(99, "%s: too long", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(99, "%s", path);
}

int main(int argc, char **argv)
{
	const char *dir = argv[argc - 1];

	now = time(NULL);
	if (argc == 3 && strcmp(argv[1], "--socket") == 0) {
		make_socket(dir);
		return 0;
	}
	if (argc < 2 || (argc == 3 && strcmp(argv[1], "--age") != 0) || argc > 3)
		errx(99, "usage: snapshot [--age | --socket] PATH");
	if (chdir(dir) < 0)
		err(99, "%s", dir);
	if (argc == 2)
		settle(".");
	walk(AT_FDCWD, ".", ".", argc == 3);
	if (fflush(stdout) != 0 || ferror(stdout))
		err(99, "standard output");
	return 0;
}
