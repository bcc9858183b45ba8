// SPDX-License-Identifier: MIT
/*
 * load [OPTION]... [--] COMMAND [ARG]...
 *
 * Runs COMMAND, works on a file for as long as it runs, and notes how long every
 * operation took. Prints one JSON object.
 *
 *   -f, --file=FILE                the file to work on
 *   -r, --reader=direct|buffered|cached
 *                                  read random blocks of it; cached: all of it is in the
 *                                  page cache, buffered: none of it
 *   -w, --writer=direct|buffered   overwrite random blocks of it
 *       --reader-pause=US          rest after each read (500)
 *       --writer-pause=US          rest after each write (1000)
 *       --writer-delay=MS          the first write comes so long after the start (0)
 *       --freeze-file=FILE         no write begins while FILE exists, and FILE.frozen
 *                                  says that none is under way; a write that waited
 *                                  took as long as it waited
 *       --seed=N                   of the random offsets and of what is written (1)
 *       --tsv=FILE                 write the reads: ms since the start, latency in ms
 *   -o, --output=FILE              where the JSON goes (standard output)
 *
 * Without -r and -w COMMAND is only measured: wall time, CPU time with that of its
 * children, peak memory. The exit status is 0 if it could be measured, whatever its own.
 *
 * DESIGN
 *
 * A clone in one call lets a reader wait until it is over, so the operation that matters
 * is the one in flight when COMMAND ends: it is waited for and counted like the others.
 *
 * Memory is bounded: percentiles come from a histogram (1.6 % wide bars), the maximum is
 * exact, and when there are too many reads for the TSV each line stands for the slowest
 * of 2, 4, 8... in a row.
 *
 * The kernel counts the memory that a process has before execve() as its peak too, so
 * COMMAND is forked while this program is still small and held until all is ready.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	    4096
#define NS_PER_SEC  1000000000ULL
#define NS_PER_MSEC 1000000ULL
#define NS_PER_USEC 1000ULL
/* A worker that rests looks so often whether COMMAND has ended. */
#define SLICE_NS (5 * NS_PER_MSEC)

/* 2 MiB of reads for the TSV. */
#define MAX_SAMPLES (1U << 17)

#define SUB_BITS 6
#define BARS	 ((64 - SUB_BITS + 1) << SUB_BITS)

struct sample {
	uint64_t start_ns;
	uint64_t ns;
};

struct samples {
	struct sample *list; /* NULL: not wanted */
	uint32_t n;
	uint32_t stride; /* operations that one sample stands for */
	uint32_t n_pending;
	struct sample pending; /* the slowest of the group that is being gathered */
};

struct worker {
	const char *mode; /* NULL: no such worker */
	bool writes;
	uint64_t pause_ns;
	uint64_t delay_ns;
	uint64_t rng;
	int fd;
	uint64_t *buf;
	pthread_t thread;

	uint64_t count;
	struct sample slowest;
	uint64_t *bars;
	struct samples samples;
};

static const char *file;
static const char *freeze_file, *frozen_file; /* NULL: nobody freezes the writer */
static uint64_t n_blocks;
static pthread_barrier_t ready;
static uint64_t begin_ns;
static atomic_bool over;

static uint64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static uint64_t draw(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void rest(uint64_t ns)
{
	while (ns > 0 && !atomic_load(&over)) {
		uint64_t part = ns < SLICE_NS ? ns : SLICE_NS;
		struct timespec t = { .tv_nsec = (long)part };

		(void)nanosleep(&t, NULL);
		ns -= part;
	}
}

/* Values below 2^SUB_BITS have a bar each, every power of two above has 2^SUB_BITS. */
static uint32_t bar_of(uint64_t ns)
{
	if (ns < 1U << SUB_BITS)
		return (uint32_t)ns;

	uint32_t shift = 63U - (uint32_t)__builtin_clzll(ns) - SUB_BITS;

	return ((shift + 1) << SUB_BITS) + (uint32_t)((ns >> shift) & ((1U << SUB_BITS) - 1));
}

static uint64_t last_of_bar(uint32_t bar)
{
	if (bar < 1U << SUB_BITS)
		return bar;

	uint32_t shift = (bar >> SUB_BITS) - 1;
	uint64_t first = (uint64_t)(bar & ((1U << SUB_BITS) - 1)) | (1U << SUB_BITS);

	return (first << shift) + ((1ULL << shift) - 1);
}

static uint64_t percentile(const struct worker *w, unsigned int percent)
{
	uint64_t rank = (w->count * percent + 99) / 100;
	uint64_t seen = 0;

	for (uint32_t i = 0; i < BARS; i++) {
		seen += w->bars[i];
		if (seen >= rank && seen > 0) {
			uint64_t ns = last_of_bar(i);

			return ns < w->slowest.ns ? ns : w->slowest.ns;
		}
	}
	return 0;
}

static void push(struct samples *s)
{
	if (s->n == MAX_SAMPLES) {
		for (uint32_t i = 0; i < MAX_SAMPLES / 2; i++) {
			struct sample *pair = &s->list[2 * (size_t)i];

			s->list[i] = pair[pair[1].ns > pair[0].ns];
		}
		s->n = MAX_SAMPLES / 2;
		s->stride *= 2;
	}
	s->list[s->n++] = s->pending;
	s->n_pending = 0;
}

static void note(struct worker *w, uint64_t start_ns, uint64_t ns)
{
	struct sample sample = { .start_ns = start_ns - begin_ns, .ns = ns };
	struct samples *s = &w->samples;

	w->count++;
	w->bars[bar_of(ns)]++;
	if (w->count == 1 || ns > w->slowest.ns)
		w->slowest = sample;
	if (!s->list)
		return;
	if (s->n_pending == 0 || ns > s->pending.ns)
		s->pending = sample;
	if (++s->n_pending >= s->stride)
		push(s);
}

static void fill_cache(const struct worker *w)
{
	for (uint64_t i = 0; i < n_blocks; i++)
		if (pread(w->fd, w->buf, BLOCK, (off_t)(i * BLOCK)) != BLOCK)
			err(1, "read %s", file);
}

/* What a freeze hook asks for; called before each write. */
static void wait_while_frozen(void)
{
	static const struct timespec pause = { .tv_nsec = NS_PER_MSEC };
	bool frozen = false;

	while (freeze_file && !atomic_load(&over) && access(freeze_file, F_OK) == 0) {
		if (!frozen) {
			int fd = open(frozen_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

			if (fd < 0)
				err(1, "%s", frozen_file);
			(void)close(fd);
			frozen = true;
		}
		(void)nanosleep(&pause, NULL);
	}
	if (frozen)
		(void)unlink(frozen_file);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const char *what = w->writes ? "write" : "read";
	bool buffered = strcmp(w->mode, "buffered") == 0;

	/* The first read of a file brings its extent map into memory: not what is measured. */
	if (!w->writes && pread(w->fd, w->buf, BLOCK, 0) != BLOCK)
		err(1, "read %s", file);
	(void)pthread_barrier_wait(&ready);
	rest(w->delay_ns);
	while (!atomic_load(&over)) {
		off_t off = (off_t)(draw(&w->rng) % n_blocks * BLOCK);
		uint64_t start;
		ssize_t n;

		if (w->writes)
			for (size_t i = 0; i < BLOCK / sizeof(*w->buf); i++)
				w->buf[i] = draw(&w->rng);
		else if (buffered)
			/* A read that finds its page in memory would not measure much. */
			(void)posix_fadvise(w->fd, off, BLOCK, POSIX_FADV_DONTNEED);

		start = now();
		if (w->writes)
			wait_while_frozen();
		n = w->writes ? pwrite(w->fd, w->buf, BLOCK, off)
			      : pread(w->fd, w->buf, BLOCK, off);
		if (n < 0)
			err(1, "%s %s", what, file);
		if (n != BLOCK)
			errx(1, "%s %s: short", what, file);
		note(w, start, now() - start);
		rest(w->pause_ns);
	}
	if (w->samples.n_pending > 0)
		push(&w->samples);
	return NULL;
}

static void open_file(struct worker *w)
{
	int flags = O_CLOEXEC | (w->writes ? O_WRONLY : O_RDONLY);
	struct stat st;

	if (!w->mode)
		return;
	if (!file)
		errx(2, "a reader or writer needs --file");
	if (strcmp(w->mode, "direct") == 0)
		flags |= O_DIRECT;
	else if (strcmp(w->mode, "buffered") != 0 &&
		 (w->writes || strcmp(w->mode, "cached") != 0))
		errx(2, "not a way to %s: %s", w->writes ? "write" : "read", w->mode);
	w->fd = open(file, flags);
	if (w->fd < 0 || fstat(w->fd, &st) < 0)
		err(1, "%s", file);
	n_blocks = (uint64_t)st.st_size / BLOCK;
	if (n_blocks == 0)
		errx(1, "%s: smaller than a block", file);
	if (!w->writes)
		(void)posix_fadvise(w->fd, 0, 0, POSIX_FADV_RANDOM);
}

static void prepare(struct worker *w, bool sampled)
{
	void *buf = NULL;
	int r;

	if (!w->mode)
		return;
	r = posix_memalign(&buf, BLOCK, BLOCK);
	w->bars = calloc(BARS, sizeof(*w->bars));
	if (r || !w->bars)
		errx(1, "out of memory");
	w->buf = buf;
	memset(w->buf, 0, BLOCK);
	memset(w->bars, 0, BARS * sizeof(*w->bars));
	if (sampled) {
		w->samples.stride = 1;
		w->samples.list = malloc(MAX_SAMPLES * sizeof(*w->samples.list));
		if (!w->samples.list)
			errx(1, "out of memory");
		/* No page faults while it counts. */
		memset(w->samples.list, 0xff, MAX_SAMPLES * sizeof(*w->samples.list));
	}
	if (strcmp(w->mode, "cached") == 0)
		fill_cache(w);
	r = pthread_create(&w->thread, NULL, work, w);
	if (r)
		errx(1, "pthread_create: %s", strerror(r));
}

/* Forks COMMAND; it runs when a byte is written to *ret_go. */
static pid_t fork_command(char **argv, int *ret_go)
{
	int go[2];
	char c;

	if (pipe2(go, O_CLOEXEC) < 0)
		err(1, "pipe");

	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid > 0) {
		(void)close(go[0]);
		*ret_go = go[1];
		return pid;
	}
	(void)close(go[1]);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(go[0], &c, 1) != 1)
		_exit(126);
	(void)execvp(argv[0], argv);
	warn("%s", argv[0]);
	_exit(127);
}

static void write_tsv(const char *path, const struct samples *s)
{
	FILE *f = fopen(path, "we");

	if (!f)
		err(1, "%s", path);
	for (uint32_t i = 0; i < s->n; i++)
		(void)fprintf(f, "%.3f\t%.4f\n", (double)s->list[i].start_ns / 1e6,
			      (double)s->list[i].ns / 1e6);
	if (fclose(f))
		err(1, "%s", path);
}

static void print_worker(FILE *f, const char *name, const struct worker *w)
{
	if (!w->mode) {
		(void)fprintf(f, ",\"%s\":null", name);
		return;
	}
	(void)fprintf(f,
		      ",\"%s\":{\"mode\":\"%s\",\"count\":%" PRIu64 ",\"p50\":%" PRIu64
		      ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64 ",\"max_at\":%" PRIu64 "}",
		      name, w->mode, w->count, percentile(w, 50), percentile(w, 99),
		      w->slowest.ns, w->slowest.start_ns);
}

static uint64_t number(const char *text, uint64_t scale)
{
	char *end;

	errno = 0;

	unsigned long value = strtoul(text, &end, 10);

	if (errno || end == text || *end || *text == '-' || value > UINT64_MAX / scale)
		errx(2, "not a number that fits: %s", text);
	return value * scale;
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_usec * NS_PER_USEC;
}

enum {
	OPT_READER_PAUSE = 256,
	OPT_WRITER_PAUSE,
	OPT_WRITER_DELAY,
	OPT_FREEZE_FILE,
	OPT_SEED,
	OPT_TSV,
};

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "reader", required_argument, NULL, 'r' },
	{ "writer", required_argument, NULL, 'w' },
	{ "output", required_argument, NULL, 'o' },
	{ "reader-pause", required_argument, NULL, OPT_READER_PAUSE },
	{ "writer-pause", required_argument, NULL, OPT_WRITER_PAUSE },
	{ "writer-delay", required_argument, NULL, OPT_WRITER_DELAY },
	{ "freeze-file", required_argument, NULL, OPT_FREEZE_FILE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "tsv", required_argument, NULL, OPT_TSV },
	{ 0 },
};

int main(int argc, char **argv)
{
	static struct worker reader = { .pause_ns = 500 * NS_PER_USEC };
	static struct worker writer = { .writes = true, .pause_ns = NS_PER_MSEC };
	const char *tsv = NULL, *output = NULL;
	uint64_t seed = 1, wall_ns;
	struct rusage usage;
	int opt, status, go;

	while ((opt = getopt_long(argc, argv, "+f:r:w:o:", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			file = optarg;
			break;
		case 'r':
			reader.mode = optarg;
			break;
		case 'w':
			writer.mode = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case OPT_READER_PAUSE:
			reader.pause_ns = number(optarg, NS_PER_USEC);
			break;
		case OPT_WRITER_PAUSE:
			writer.pause_ns = number(optarg, NS_PER_USEC);
			break;
		case OPT_WRITER_DELAY:
			writer.delay_ns = number(optarg, NS_PER_MSEC);
			break;
		case OPT_FREEZE_FILE:
			freeze_file = optarg;
			break;
		case OPT_SEED:
			seed = number(optarg, 1);
			break;
		case OPT_TSV:
			tsv = optarg;
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		errx(2, "no command; the options are described at the head of load.c");
	if (tsv && !reader.mode)
		errx(2, "--tsv needs --reader");
	if (freeze_file) {
		char *name;

		if (asprintf(&name, "%s.frozen", freeze_file) < 0)
			errx(1, "out of memory");
		frozen_file = name;
	}
	open_file(&reader);
	open_file(&writer);
	reader.rng = seed;
	writer.rng = ~seed;

	pid_t pid = fork_command(argv + optind, &go);
	unsigned int n_workers = (reader.mode ? 1U : 0U) + (writer.mode ? 1U : 0U);

	if (pthread_barrier_init(&ready, NULL, n_workers + 1))
		errx(1, "pthread_barrier_init");
	prepare(&reader, tsv);
	prepare(&writer, false);

	begin_ns = now();
	(void)pthread_barrier_wait(&ready);
	if (write(go, "", 1) != 1)
		err(1, "cannot start %s", argv[optind]);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			err(1, "wait4");
	wall_ns = now() - begin_ns;
	atomic_store(&over, true);
	if (reader.mode)
		(void)pthread_join(reader.thread, NULL);
	if (writer.mode)
		(void)pthread_join(writer.thread, NULL);

	if (tsv)
		write_tsv(tsv, &reader.samples);

	FILE *f = output ? fopen(output, "we") : stdout;

	if (!f)
		err(1, "%s", output);
	(void)fprintf(f,
		      "{\"wall_ns\":%" PRIu64 ",\"cpu_ns\":%" PRIu64
		      ",\"maxrss_kib\":%ld,\"status\":%d",
		      wall_ns, timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime),
		      usage.ru_maxrss,
		      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	print_worker(f, "reader", &reader);
	print_worker(f, "writer", &writer);
	(void)fprintf(f, "}\n");
	if (fclose(f))
		err(1, "%s", output ? output : "standard output");
	return 0;
}
