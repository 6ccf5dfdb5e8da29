#include <criterion/criterion.h>

#include <stdlib.h>

#include "base/checked.h"
#include "support/parcel_bytes.h"

Test(strings, bytes)
{
	static const struct {
		const char *what, *text;
		int32_t length;
		const char *bytes;
	} rows[] = {
		{"null", NULL, -1, "ffffffff"},
		{"empty", "", 0, "00000000 00000000"},
		{"one unit", "x", 1, "01000000 78000000"},
		{"two units", "xy", 2, "02000000 78007900 00000000"},
		{"its length counts", "xyz", 1, "01000000 78000000"},
		{"a NUL inside", "\0x", 2, "02000000 00007800 00000000"},
		{"a surrogate pair", "\xf0\x9f\x98\x80", 4,
		 "02000000 3dd800de 00000000"},
	};
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = AParcel_create();
		cr_expect_eq(
			AParcel_writeString(p, rows[i].text, rows[i].length),
			STATUS_OK, "%s", rows[i].what);
		cr_expect(parcel_is(p, rows[i].bytes), "%s", rows[i].what);
		AParcel_delete(p);
	}
}

Test(strings, that_cannot_be_written)
{
	AParcel *p = AParcel_create();

	cr_expect_eq(AParcel_writeString(p, NULL, 0), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeString(p, NULL, 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeString(p, "x", -1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_writeString(p, "\xc2\x80", 1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_getDataSize(p), 0);
	AParcel_delete(p);
}

struct text {
	int32_t length;
	int calls;
	bool refuse;
	char buffer[16];
};

static bool text_room(void *data, int32_t length, char **ret_buffer)
{
	struct text *text = data;

	text->calls++;
	text->length = length;
	if (ret_buffer)
		*ret_buffer = text->buffer;
	return !text->refuse;
}

Test(strings, are_read)
{
	static const struct {
		const char *what, *bytes;
		bool refuse;
		binder_status_t status;
		int32_t length; /* with the NUL; -1: null, -2: not asked */
		const char *text;
	} rows[] = {
		{"empty", "00000000 00000000", false, STATUS_OK, 1, ""},
		{"one unit", "01000000 78000000", false, STATUS_OK, 2, "x"},
		{"a surrogate pair", "02000000 3dd800de 00000000", false,
		 STATUS_OK, 5, "\xf0\x9f\x98\x80"},
		{"null", "ffffffff", false, STATUS_OK, -1, ""},
		{"null, refused", "ffffffff", true, STATUS_UNEXPECTED_NULL, -1,
		 ""},
		{"refused", "01000000 78000000", true, STATUS_NO_MEMORY, 2, ""},
		{"nothing", "", false, STATUS_NOT_ENOUGH_DATA, -2, ""},
		{"negative", "feffffff 00000000", false, STATUS_BAD_VALUE, -2,
		 ""},
		{"the largest length", "ffffff7f 00000000", false,
		 STATUS_BAD_VALUE, -2, ""},
		{"a large length", "feffff7f 00000000", false,
		 STATUS_NOT_ENOUGH_DATA, -2, ""},
		{"no NUL", "01000000 78007800", false, STATUS_BAD_VALUE, -2,
		 ""},
		{"no room for the NUL", "02000000 78007800", false,
		 STATUS_NOT_ENOUGH_DATA, -2, ""},
		{"no padding", "00000000 0000", false, STATUS_NOT_ENOUGH_DATA,
		 -2, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text text = {.length = -2, .refuse = rows[i].refuse};
		AParcel *p = parcel_from_hex(NULL, rows[i].bytes);

		cr_expect_eq(AParcel_readString(p, &text, text_room),
			     rows[i].status, "%s", rows[i].what);
		cr_expect_eq(text.length, rows[i].length, "%s", rows[i].what);
		cr_expect_str_eq(text.buffer, rows[i].text, "%s", rows[i].what);
		AParcel_delete(p);
	}
}

Test(strings, as_memory_of_the_caller)
{
	AParcel *p = parcel_from_hex(NULL, "02000000 00007800 00000000"
					   "ffffffff 01000000 78007800");
	char *text;
	size_t size;

	cr_assert_eq(parcel_read_utf8(p, &text, &size), STATUS_OK);
	cr_expect_eq(size, 2);
	cr_expect_arr_eq(text, "\0x", 3);
	free(text);
	cr_assert_eq(parcel_read_utf8(p, &text, NULL), STATUS_OK);
	cr_expect_null(text);
	cr_expect_eq(parcel_read_utf8(p, &text, &size), STATUS_BAD_VALUE);
	AParcel_delete(p);
}

static const char *const words[] = {"a", NULL};

static const char *get_word(const void *data, size_t i, int32_t *ret_length)
{
	const char *const *array = data;

	*ret_length = array[i] ? (int32_t)strlen(array[i]) : -1;
	return array[i];
}

/* An array of at most three texts. */
struct texts {
	int32_t length;
	bool refuse;
	struct text text[3];
};

static bool texts_room(void *data, int32_t length)
{
	struct texts *texts = data;

	texts->length = length;
	return !texts->refuse && length <= 3;
}

static bool texts_element(void *data, size_t i, int32_t length, char **ret)
{
	struct texts *texts = data;

	return text_room(&texts->text[i], length, ret);
}

Test(strings, arrays)
{
	AParcel *p = AParcel_create();
	struct texts texts = {0};

	cr_assert_eq(
		AParcel_writeStringArray(p, (const void *)words, 2, get_word),
		STATUS_OK);
	cr_assert_eq(AParcel_writeStringArray(p, NULL, -1, get_word),
		     STATUS_OK);
	cr_expect(parcel_is(p, "02000000 01000000 61000000 ffffffff ffffffff"));
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(
		AParcel_readStringArray(p, &texts, texts_room, texts_element),
		STATUS_OK);
	cr_expect_eq(texts.length, 2);
	cr_expect_str_eq(texts.text[0].buffer, "a");
	cr_expect_eq(texts.text[1].length, -1);
	cr_expect_eq(
		AParcel_readStringArray(p, &texts, texts_room, texts_element),
		STATUS_OK);
	cr_expect_eq(texts.length, -1);
	AParcel_delete(p);
}

Test(strings, arrays_that_are_refused)
{
	static const struct {
		const char *what, *bytes;
		bool refuse, refuse_element;
		binder_status_t status;
	} rows[] = {
		{"more than fits", "02000000 00000000", false, false,
		 STATUS_NO_MEMORY},
		{"null", "ffffffff", true, false, STATUS_UNEXPECTED_NULL},
		{"below null", "feffffff", false, false, STATUS_BAD_VALUE},
		{"refused", "01000000 00000000 00000000", true, false,
		 STATUS_NO_MEMORY},
		{"a null element", "01000000 ffffffff", false, true,
		 STATUS_UNEXPECTED_NULL},
		{"a bad element", "01000000 01000000 78007800", false, false,
		 STATUS_BAD_VALUE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct texts texts = {.refuse = rows[i].refuse,
				      .text[0].refuse = rows[i].refuse_element};
		AParcel *p = parcel_from_hex(NULL, rows[i].bytes);

		cr_expect_eq(AParcel_readStringArray(p, &texts, texts_room,
						     texts_element),
			     rows[i].status, "%s", rows[i].what);
		AParcel_delete(p);
	}
}

static binder_status_t write_element(AParcel *p, const void *data, size_t i)
{
	return i < 2 ? AParcel_writeInt32(p, ((const int32_t *)data)[i])
		     : STATUS_BAD_INDEX;
}

static binder_status_t read_element(const AParcel *p, void *data, size_t i)
{
	return AParcel_readInt32(p, &((int32_t *)data)[i]);
}

static bool elements_room(void *data, int32_t length)
{
	(void)data;
	return length == 2;
}

Test(strings, arrays_of_parcelables)
{
	static const int32_t values[] = {5, 6};
	AParcel *p = AParcel_create();
	int32_t back[2];

	cr_assert_eq(AParcel_writeParcelableArray(p, values, 2, write_element),
		     STATUS_OK);
	cr_expect(parcel_is(p, "02000000 05000000 06000000"));
	cr_expect_eq(AParcel_writeParcelableArray(p, values, 3, write_element),
		     STATUS_BAD_INDEX, "the writer's word is passed on");
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readParcelableArray(p, back, elements_room,
						 read_element),
		     STATUS_OK);
	cr_expect_arr_eq(back, values, sizeof(back));
	cr_expect_eq(AParcel_readParcelableArray(p, back, elements_room,
						 read_element),
		     STATUS_NO_MEMORY, "refused");
	AParcel_delete(p);
}

Test(strings, names_that_are_skipped)
{
	static const struct {
		const char *what, *bytes, *text;
		bool same;
	} rows[] = {
		{"the same", "02000000 61006200 00000000", "ab", true},
		{"an empty one", "00000000 00000000", "", true},
		{"a longer one", "02000000 61006200 00000000", "a", false},
		{"a shorter one", "01000000 61000000", "ab", false},
		{"another", "02000000 61006300 00000000", "ab", false},
		{"no end", "01000000 61006200", "a", false},
		{"null", "ffffffff", "", false},
		{"fewer than nothing", "feffffff 00000000", "", false},
		{"more than there is", "ffffff7f 61006200", "ab", false},
		{"nothing", "", "ab", false},
		{"what ASCII has not", "01000000 e4000000", "\xe4", false},
		{"a character of the other half", "01000000 61010000", "a",
		 false},
	};
	AParcel *p;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p = parcel_from_hex(NULL, rows[i].bytes);
		cr_expect_eq(parcel_skip_ascii(p, rows[i].text), rows[i].same,
			     "%s", rows[i].what);
		cr_expect_eq(p->pos, rows[i].same ? p->size : 0, "%s",
			     rows[i].what);
		AParcel_delete(p);
	}
}
