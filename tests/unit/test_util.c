// SPDX-License-Identifier: MIT
/* Base64, and names of any bytes in JSON. */
#include "unit.h"

#include "util/base64.h"
#include "util/json_name.h"
#include "util/macros.h"

static void test_vectors(void **state UNUSED)
{
	/* RFC 4648, section 10, and bytes whose digits are the last two. */
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xff\xff", "////" },
		{ "\xfb\xef\xbe", "++++" },
		{ "\xff", "/w==" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = 99;
		char *text = lull_base64_encode(cases[i].bytes, strlen(cases[i].bytes));
		char *bytes = lull_base64_decode(cases[i].text, &len);

		check_str(cases[i].text, text, cases[i].text);
		check_str(cases[i].text, bytes, cases[i].bytes);
		check_int(cases[i].text, len, strlen(cases[i].bytes));
		free(text);
		free(bytes);
	}
}

static void test_no_base64(void **state UNUSED)
{
	static const char *const cases[] = {
		"Z",          "Zg",      "Zg=",      "Zm9vY", "=",        "==",
		"====",       "Z===",    "Zg==Zg==", "Zg=v",  "=g==",     "Z=g=",
		"Zm9 ",       "Zm9\n",   "Zm-v",     "Zm_v",  "Zm9v\n",   "Zm9v====",
		"Zm\xc3\xa9", "Zm9\xff", "Zm9vZg=v", " Zm9v", "Zm9v    ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(cases[i], lull_base64_decode(cases[i], NULL) == NULL);
}

static void test_round_trip(void **state UNUSED)
{
	unit_seed("base64", 0);
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned char bytes[200];
		size_t n = unit_below(sizeof(bytes) + 1), len = 0;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)unit_random();

		char *text = lull_base64_encode(bytes, n);
		char *back = text ? lull_base64_decode(text, &len) : NULL;

		assert_non_null(back);
		assert_int_equal(strlen(text), (n + 2) / 3 * 4);
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
		assert_int_equal(back[n], '\0');
		free(text);
		free(back);
	}
}

/* Writes the name, dumps, loads and reads it; gives the object that was loaded. */
static json_t *through_json(const char *name, char **ret_name)
{
	json_t *object = json_object(), *loaded;
	char *text;

	assert_int_equal(lull_json_set_name(object, "path", name), 0);
	text = json_dumps(object, 0);
	assert_non_null(text);
	loaded = json_loads(text, 0, NULL);
	assert_non_null(loaded);
	assert_int_equal(lull_json_get_name(loaded, "path", ret_name), 0);
	free(text);
	json_decref(object);
	return loaded;
}

static void test_names(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *readable;
		bool twin;
	} cases[] = {
		{ "plain", "plain", false },
		{ "", "", false },
		{ "with \"quotes\" and \\", "with \"quotes\" and \\", false },
		{ "line\nbreak\x01", "line\nbreak\x01", false },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", false },
		{ "\xf0\x9f\x90\x84", "\xf0\x9f\x90\x84", false },
		{ "\xff", "\xef\xbf\xbd", true },
		{ "latin-\xe9", "latin-\xef\xbf\xbd", true },
		{ "\xe9t\xe9", "\xef\xbf\xbdt\xef\xbf\xbd", true },
		{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd", true },
		{ "ok \xc3\xa9 not \xc3", "ok \xc3\xa9 not \xef\xbf\xbd", true },
		{ "surrogate \xed\xa0\x80",
		  "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", true },
		{ "overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *back = NULL;
		json_t *object = through_json(cases[i].name, &back);

		check_str(cases[i].name, back, cases[i].name);
		check_str(cases[i].name,
			  json_string_value(json_object_get(object, "path")),
			  cases[i].readable);
		check(cases[i].name,
		      (json_object_get(object, "path_base64") != NULL) == cases[i].twin);
		json_decref(object);
		free(back);
	}
}

static void test_null(void **state UNUSED)
{
	char *back = (char *)(uintptr_t)1;
	json_t *object = through_json(NULL, &back);

	assert_null(back);
	assert_true(json_is_null(json_object_get(object, "path")));
	json_decref(object);
	assert_int_equal(lull_json_set_name(NULL, "path", "x"), -ENOMEM);
}

static void test_every_byte(void **state UNUSED)
{
	char all[256], name[8], *back;

	for (int c = 1; c < 256; c++) {
		all[c - 1] = (char)c;
		for (int place = 0; place < 3; place++) {
			(void)snprintf(name, sizeof(name), "abc");
			name[place] = (char)c;
			json_decref(through_json(name, &back));
			assert_string_equal(back, name);
			free(back);
		}
	}
	all[255] = '\0';
	json_decref(through_json(all, &back));
	assert_string_equal(back, all);
	free(back);
}

static void test_random_names(void **state UNUSED)
{
	unit_seed("names", 0);
	for (unsigned int round = 0; round < 2000; round++) {
		char name[100], *back;
		size_t n = unit_below(sizeof(name));

		for (size_t i = 0; i < n; i++)
			name[i] = (char)(1 + unit_below(255));
		name[n] = '\0';
		json_decref(through_json(name, &back));
		assert_string_equal(back, name);
		free(back);
	}
}

static void test_no_name(void **state UNUSED)
{
	static const struct {
		const char *name, *json;
	} cases[] = {
		{ "missing", "{}" },
		{ "number", "{\"path\": 1}" },
		{ "array", "{\"path\": [\"a\"]}" },
		{ "true", "{\"path\": true}" },
		{ "object", "{\"path\": {\"path\": \"a\"}}" },
		{ "no object", "[\"path\"]" },
		{ "only the twin", "{\"path_base64\": \"YQ==\"}" },
		{ "twin of another type", "{\"path\": \"a\", \"path_base64\": 1}" },
		{ "twin null", "{\"path\": \"a\", \"path_base64\": null}" },
		{ "twin no base64", "{\"path\": \"a\", \"path_base64\": \"?\"}" },
		{ "twin with NUL", "{\"path\": \"a\", \"path_base64\": \"YQBi\"}" },
		{ "NUL", "{\"path\": \"a\\u0000b\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *object = json_loads(cases[i].json, JSON_ALLOW_NUL, NULL);
		char *back = (char *)(uintptr_t)1;

		check(cases[i].name, object != NULL);
		check_int(cases[i].name, lull_json_get_name(object, "path", &back),
			  -EBADMSG);
		check(cases[i].name, back == NULL);
		json_decref(object);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),      cmocka_unit_test(test_no_base64),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_null),         cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_random_names), cmocka_unit_test(test_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
