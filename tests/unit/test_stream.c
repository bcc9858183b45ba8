// SPDX-License-Identifier: MIT
/*
 * The stream of --export: what is written is read again, byte for byte as the format has
 * it; and whatever happens to it on its way, it is refused.
 */
#include "unit.h"

#include "plan/stream_in.h"
#include "plan/stream_out.h"
#include "util/macros.h"

#include <endian.h>

#define ROOM  (256u << 10)
#define IMAGE (64u << 10)

struct text {
	uint8_t data[ROOM];
	size_t len;
	size_t at;
};

static void append(struct text *t, const void *data, size_t len)
{
	assert_true(len <= ROOM - t->len);
	memcpy(t->data + t->len, data, len);
	t->len += len;
}

static int next_bytes(void *ctx, void *buffer, size_t len)
{
	struct text *t = ctx;

	if (len > t->len - t->at)
		return -ENODATA;
	memcpy(buffer, t->data + t->at, len);
	t->at += len;
	return 0;
}

static void checksum_is_the_published_one(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint64_t sum;
	} rows[] = {
		{ "", 0xef46db3751d8e999 },
		{ "a", 0xd24ec4f1a98c6e5b },
		{ "abc", 0x44bc2cf5ad770999 },
		{ "Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].text);

		/* In one piece, and in two at each place. */
		for (size_t cut = 0; cut <= len; cut++) {
			struct lull_xxh64 sum;

			lull_xxh64_init(&sum);
			lull_xxh64_add(&sum, rows[i].text, cut);
			lull_xxh64_add(&sum, rows[i].text + cut, len - cut);
			check(rows[i].text, lull_xxh64_get(&sum) == rows[i].sum);
		}
	}
}

/* A stream that holds the n changes, and the data of image in them. */
static void write_version(struct text *t, const struct lull_stream_head *head,
			  const struct lull_change *change, unsigned int n,
			  const uint8_t *image, bool first)
{
	uint8_t room[LULL_STREAM_ROOM];
	struct lull_stream_out out = { .first = first };

	t->len = t->at = 0;
	append(t, room, lull_stream_out_head(&out, head, room));
	for (unsigned int i = 0; i < n; i++) {
		const struct lull_change *c = &change[i];

		append(t, room,
		       lull_stream_out_range(&out, c->off, c->len, c->zero, room));
		if (c->zero)
			continue;
		lull_stream_out_data(&out, image + c->off, c->len);
		append(t, image + c->off, c->len);
	}
	append(t, room, lull_stream_out_end(&out, room));
	assert_int_equal(out.bytes, t->len);
}

static void write_stream(struct text *t, const struct lull_stream_head *head,
			 const struct lull_change *change, unsigned int n,
			 const uint8_t *image)
{
	write_version(t, head, change, n, image, false);
}

/* What reading it comes to; the file as it would be then, in image. */
static int read_version(struct text *t, struct lull_stream_in *in, uint8_t *image,
			bool first)
{
	const struct lull_stream_source source = { .next = next_bytes, .ctx = t };
	struct lull_change c;
	int r;

	t->at = 0;
	r = lull_stream_in_head(in, &source, first);
	while (r == 0) {
		r = lull_stream_in_next(in, &c);
		if (r <= 0)
			return r;
		assert_true(c.len > 0 && c.off + c.len <= in->head.size);
		/* One that says so itself may be larger than any here. */
		for (uint64_t done = 0; done < c.len && !c.zero;) {
			uint8_t piece[1000];
			size_t n = MIN(c.len - done, sizeof(piece));

			r = lull_stream_in_data(in, piece, n);
			if (r < 0)
				return r;
			if (c.off + done + n <= IMAGE)
				memcpy(image + c.off + done, piece, n);
			done += n;
		}
		if (c.zero && c.off + c.len <= IMAGE)
			memset(image + c.off, 0, c.len);
		r = 0;
	}
	return r;
}

static int read_stream(struct text *t, struct lull_stream_in *in, uint8_t *image)
{
	return read_version(t, in, image, false);
}

static uint8_t old_image[IMAGE], new_image[IMAGE], got[IMAGE];
static struct text text, broken;

/* Two images that differ in some ranges, and those. */
static unsigned int draw(struct lull_stream_head *head, struct lull_change *change,
			 unsigned int most)
{
	uint64_t at = unit_below(100);
	unsigned int n = 0;

	*head = (struct lull_stream_head){ .size = IMAGE };
	(void)snprintf(head->to, sizeof(head->to), "new-%llu",
		       (unsigned long long)unit_below(1000));
	if (unit_below(3) > 0) {
		(void)snprintf(head->from, sizeof(head->from), "old");
		head->has_base = true;
		head->base.size = IMAGE + unit_below(10);
		for (uint64_t off = 0; off < IMAGE && unit_below(10) > 0; off += 4096)
			head->base.offset[head->base.n++] = off;
		head->base.sum = unit_random();
	}
	for (size_t i = 0; i < IMAGE; i++)
		old_image[i] = (uint8_t)unit_random();
	memcpy(new_image, old_image, IMAGE);
	while (n < most && at < IMAGE) {
		uint64_t len = MIN(1 + unit_below(900), IMAGE - at);
		struct lull_change c = { .off = at,
					 .len = len,
					 .zero = unit_below(3) == 0 };

		for (uint64_t i = at; i < at + len; i++)
			new_image[i] = c.zero ? 0 : (uint8_t)unit_random();
		change[n++] = c;
		at += len + (unit_below(2) ? unit_below(2000) : 0);
	}
	return n;
}

static void what_is_written_is_read(void **state UNUSED)
{
	unit_seed("written and read", 0);
	for (int round = 0; round < 200; round++) {
		struct lull_change change[40];
		struct lull_stream_head head;
		struct lull_stream_in in;
		unsigned int n = draw(&head, change, (unsigned int)unit_below(40));

		write_stream(&text, &head, change, n, new_image);
		memcpy(got, old_image, IMAGE);
		assert_int_equal(read_stream(&text, &in, got), 0);
		assert_int_equal(text.at, text.len);
		assert_memory_equal(got, new_image, IMAGE);
		assert_string_equal(in.head.from, head.from);
		assert_string_equal(in.head.to, head.to);
		assert_int_equal(in.head.size, head.size);
		assert_int_equal(in.head.has_base, head.has_base);
		assert_memory_equal(&in.head.base, &head.base, sizeof(head.base));
	}
}

/* By hand, as the documentation of Ceph has it; the record of ours is one that it
   skips. */
static void bytes_are_those_of_rbd(void **state UNUSED)
{
	static const char wanted[] =
		"rbd diff v2\n"
		"f\x07\0\0\0\0\0\0\0\x03\0\0\0one"
		"t\x07\0\0\0\0\0\0\0\x03\0\0\0two"
		"s\x08\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0"
		"w\x13\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0abc"
		"z\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"
		"L\x0c\0\0\0\0\0\0\0xx64";
	const struct lull_stream_head head = { .from = "one",
					       .to = "two",
					       .size = IMAGE };
	const struct lull_change change[] = { { .off = 16, .len = 3 },
					      { .off = 32, .len = 64, .zero = true } };
	size_t n = sizeof(wanted) - 1;
	struct lull_xxh64 sum;
	uint64_t told;

	memcpy(new_image + 16, "abc", 3);
	write_stream(&text, &head, change, 2, new_image);
	assert_int_equal(text.len, n + 8 + 1);
	assert_memory_equal(text.data, wanted, n);
	assert_int_equal(text.data[n + 8], 'e');
	/* The checksum is of all before its record. */
	lull_xxh64_init(&sum);
	lull_xxh64_add(&sum, text.data, n - 13);
	memcpy(&told, text.data + n, sizeof(told));
	assert_true(le64toh(told) == lull_xxh64_get(&sum));
}

/* The older version, which other programs of Ceph read: without lengths of records. */
static void version_1_is_that_of_rbd(void **state UNUSED)
{
	static const char wanted[] = "rbd diff v1\n"
				     "f\x03\0\0\0one"
				     "t\x03\0\0\0two"
				     "s\0\0\x01\0\0\0\0\0"
				     "w\x10\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0abc"
				     "z\x20\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"
				     "e";
	const struct lull_stream_head head = {
		.from = "one", .to = "two", .size = IMAGE, .has_base = true
	};
	const struct lull_change change[] = { { .off = 16, .len = 3 },
					      { .off = 32, .len = 64, .zero = true } };
	struct lull_stream_in in;

	memcpy(new_image + 16, "abc", 3);
	write_version(&text, &head, change, 2, new_image, true);
	assert_int_equal(text.len, sizeof(wanted) - 1);
	assert_memory_equal(text.data, wanted, text.len);
	assert_int_equal(read_version(&text, &in, got, true), 0);
	assert_string_equal(in.head.from, "one");
	assert_string_equal(in.head.to, "two");
	assert_false(in.head.has_base);
	/* Only where it was asked for. */
	assert_int_equal(read_stream(&text, &in, got), -EBADMSG);
	assert_int_equal(in.fault, LULL_STREAM_FIRST);
	/* Cut anywhere, and with more after it. */
	for (size_t i = 0; i < text.len; i++) {
		broken = text;
		broken.len = i;
		assert_int_equal(read_version(&broken, &in, got, true), -EBADMSG);
	}
	broken = text;
	append(&broken, "e", 1);
	assert_int_equal(read_version(&broken, &in, got, true), -EBADMSG);
	assert_int_equal(in.fault, LULL_STREAM_LONGER);
}

static void version_1_is_read_as_written(void **state UNUSED)
{
	unit_seed("version 1", 0);
	for (int round = 0; round < 200; round++) {
		struct lull_change change[40];
		struct lull_stream_head head;
		struct lull_stream_in in;
		unsigned int n = draw(&head, change, (unsigned int)unit_below(40));

		write_version(&text, &head, change, n, new_image, true);
		memcpy(got, old_image, IMAGE);
		assert_int_equal(read_version(&text, &in, got, true), 0);
		assert_memory_equal(got, new_image, IMAGE);
		assert_string_equal(in.head.from, head.from);
		assert_int_equal(in.head.size, head.size);
		/* One of version 2 is taken for what it is, whatever was asked for. */
		write_stream(&text, &head, change, n, new_image);
		memcpy(got, old_image, IMAGE);
		assert_int_equal(read_version(&text, &in, got, true), 0);
		assert_memory_equal(got, new_image, IMAGE);
	}
}

static void refused(const char *what)
{
	struct lull_stream_in in;
	int r = read_stream(&broken, &in, got);

	check_int(what, r, -EBADMSG);
	check(what, in.fault != LULL_STREAM_WHOLE);
}

static void any_damage_is_found(void **state UNUSED)
{
	struct lull_change change[12];
	struct lull_stream_head head;
	unsigned int n;

	unit_seed("damage", 0);
	n = draw(&head, change, 12);
	write_stream(&text, &head, change, n, new_image);
	for (size_t i = 0; i < text.len; i++) {
		char what[64];

		(void)snprintf(what, sizeof(what), "byte %zu flipped", i);
		broken = text;
		broken.data[i] ^= (uint8_t)(1u << unit_below(8));
		refused(what);
		(void)snprintf(what, sizeof(what), "byte %zu another", i);
		broken = text;
		broken.data[i] = (uint8_t)(broken.data[i] + 1 + unit_below(255));
		refused(what);
		(void)snprintf(what, sizeof(what), "cut at byte %zu", i);
		broken = text;
		broken.len = i;
		refused(what);
		(void)snprintf(what, sizeof(what), "byte %zu missing", i);
		broken = text;
		memmove(broken.data + i, broken.data + i + 1, --broken.len - i);
		refused(what);
	}
	broken = text;
	append(&broken, "e", 1);
	refused("one byte more");
	broken = text;
	append(&broken, text.data, text.len);
	refused("twice");
	/* Two pieces swapped. */
	for (int round = 0; round < 1000; round++) {
		size_t len = 1 + unit_below(text.len / 4);
		size_t a = unit_below(text.len - 2 * len + 1);
		size_t b = a + len + unit_below(text.len - a - 2 * len + 1);

		if (memcmp(text.data + a, text.data + b, len) == 0)
			continue;
		broken = text;
		memcpy(broken.data + a, text.data + b, len);
		memcpy(broken.data + b, text.data + a, len);
		refused("reordered");
	}
}

/* With a checksum that is right for them. */
static void streams_that_make_no_sense_are_refused(void **state UNUSED)
{
	static const struct {
		const char *name;
		struct lull_change change[2];
		uint64_t size;
	} rows[] = {
		{ "falling", { { 8192, 10, false }, { 0, 10, false } }, IMAGE },
		{ "overlapping", { { 0, 4096, false }, { 4095, 10, false } }, IMAGE },
		{ "twice the same", { { 0, 10, true }, { 0, 10, true } }, IMAGE },
		{ "empty", { { 0, 10, false }, { 100, 0, true } }, IMAGE },
		{ "beyond the end", { { 0, 10, false }, { 90, 11, true } }, 100 },
		{ "behind the end", { { 0, 10, false }, { 101, 1, true } }, 100 },
		{ "overflow", { { 0, 10, true }, { 50, UINT64_MAX, true } }, 100 },
		{ "a size that no file has",
		  { { 0, 10, true }, { 50, 1, true } },
		  1ULL << 63 },
	};
	struct lull_stream_head head = { .to = "new" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		head.size = rows[i].size;
		write_stream(&broken, &head, rows[i].change, 2, new_image);
		refused(rows[i].name);
	}
}

/* Makes of records a stream with its checksum. */
static void seal(const void *records, size_t len)
{
	uint8_t room[LULL_STREAM_ROOM];
	struct lull_stream_out out = { 0 };

	broken.len = 0;
	append(&broken, LULL_STREAM_BANNER, strlen(LULL_STREAM_BANNER));
	append(&broken, records, len);
	lull_xxh64_init(&out.sum);
	lull_stream_out_data(&out, broken.data, broken.len);
	append(&broken, room, lull_stream_out_end(&out, room));
}

#define SIZE  "s\x08\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0"
#define NAME  "t\x05\0\0\0\0\0\0\0\x01\0\0\0x"
#define RANGE "z\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
#define ROW(x)                       \
	{                            \
#x, x, sizeof(x) - 1 \
	}

static void records_that_are_wrong_are_refused(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *records;
		size_t len;
	} rows[] = {
		ROW(""),
		ROW(NAME),
		ROW(SIZE SIZE),
		ROW(SIZE NAME NAME),
		ROW(SIZE RANGE NAME),
		ROW(SIZE RANGE SIZE),
		ROW(SIZE "x\x01\0\0\0\0\0\0\0y"),
		ROW(SIZE "t\x05\0\0\0\0\0\0\0\x02\0\0\0xy"),
		ROW(SIZE "t\x06\0\0\0\0\0\0\0\x02\0\0\0x\0"),
		ROW(SIZE "t\x04\0\0\0\0\0\0\0\0\0\0\0"),
		ROW(SIZE "t\x03\0\0\0\0\0\0\0\0\0\0"),
		ROW("s\x07\0\0\0\0\0\0\0\0\0\x01\0\0\0\0"),
		ROW(SIZE "z\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0"),
		ROW(SIZE "L\x04\0\0\0\0\0\0\0what"),
		ROW(SIZE "L\x03\0\0\0\0\0\0\0bas"),
		ROW(SIZE RANGE "L\x18\0\0\0\0\0\0\0"
			       "base\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		ROW(SIZE "e"),
	};
	struct lull_stream_in in;

	seal(SIZE NAME RANGE, sizeof(SIZE NAME RANGE) - 1);
	assert_int_equal(read_stream(&broken, &in, got), 0);
	seal(SIZE, sizeof(SIZE) - 1);
	assert_int_equal(read_stream(&broken, &in, got), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		seal(rows[i].records, rows[i].len);
		refused(rows[i].name);
	}
}

static void faults_are_told_apart(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum lull_stream_fault fault;
	} rows[] = {
		{ "", LULL_STREAM_CUT },
		{ "rbd diff v2", LULL_STREAM_CUT },
		{ "rbd diff v1\n", LULL_STREAM_FIRST },
		{ "rbd diff v3\n", LULL_STREAM_VERSION },
		{ "rbd image v2\n", LULL_STREAM_FOREIGN },
		{ "QFI\xfb and so on", LULL_STREAM_FOREIGN },
	};
	struct lull_stream_head head = { .to = "new", .size = 10 };
	struct lull_stream_in in;
	size_t own = 9 + LULL_STREAM_KIND + 8;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		broken.len = 0;
		append(&broken, rows[i].text, strlen(rows[i].text));
		check_int(rows[i].text, read_stream(&broken, &in, got), -EBADMSG);
		check_int(rows[i].text, in.fault, rows[i].fault);
	}
	write_stream(&text, &head, NULL, 0, NULL);
	broken = text;
	append(&broken, "x", 1);
	assert_int_equal(read_stream(&broken, &in, got), -EBADMSG);
	assert_int_equal(in.fault, LULL_STREAM_LONGER);
	broken = text;
	broken.data[broken.len - 2] ^= 1;
	assert_int_equal(read_stream(&broken, &in, got), -EBADMSG);
	assert_int_equal(in.fault, LULL_STREAM_CHECKSUM);
	/* As RBD itself would write it. */
	broken = text;
	broken.len -= own + 1;
	append(&broken, "e", 1);
	assert_int_equal(read_stream(&broken, &in, got), -EBADMSG);
	assert_int_equal(in.fault, LULL_STREAM_UNCHECKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_is_the_published_one),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(bytes_are_those_of_rbd),
		cmocka_unit_test(version_1_is_that_of_rbd),
		cmocka_unit_test(version_1_is_read_as_written),
		cmocka_unit_test(any_damage_is_found),
		cmocka_unit_test(streams_that_make_no_sense_are_refused),
		cmocka_unit_test(records_that_are_wrong_are_refused),
		cmocka_unit_test(faults_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
