/*
 * The same id with the same meaning is a re-delivery; with another meaning it is other content and
 * worth a note. The time is left out: senders stamp a message anew when they repeat it. The
 * category counts as given, so that a changed code table does not make old messages look different.
 * Unknown members are left out as well: platforms send theirs anew with changing bookkeeping.
 */
#include <sodium/crypto_hash_sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/understand/stages.h"

/* Of a link without its query: platforms sign their links anew with each answer. */
static char *media_text(const json_t *media)
{
	char *text = json_array_size(media) ? json_dumps(media, JSON_COMPACT | JSON_SORT_KEYS) : NULL, *to = text;

	for (const char *p = text; p && *p;) {
		p += *p == '?' ? strcspn(p, "\"") : 0;
		if (*p)
			*to++ = *p++;
	}
	if (text)
		*to = '\0';
	return text;
}

/* Each with its name and only where it is there: without them the digest is what it was before they counted. */
static void add_more(crypto_hash_sha256_state *state, const struct report *r)
{
	CLEANUP(mem_freep) char *media = media_text(r->media);
	char reading[40];
	const char *const more[][2] = {{"accused", r->accused}, {"media", media}, {"device", r->device},
				       {"reading", r->has_reading ? reading : NULL}, {"alarm", r->alarm}};

	snprintf(reading, sizeof(reading), "%d %.17g", r->reading, r->value);
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		for (size_t k = 0; more[i][1] && k < 2; k++)
			crypto_hash_sha256_update(state, (const unsigned char *)more[i][k], strlen(more[i][k]) + 1);
}

void report_digest(struct report *r, const char *category_given)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char numbers[96];
	const char *members[] = {report_kind_names[r->kind], r->text, category_given, r->address,
				 r->grid, r->name, r->phone, r->ref, r->about, r->case_number,
				 r->comment, numbers};
	crypto_hash_sha256_state state;

	snprintf(numbers, sizeof(numbers), "%d %d %d %d %.6f %.6f", r->urgency, r->secret,
		 r->kind == REPORT_RATE ? (int)r->score : -1, r->has_position, r->lat, r->lon);
	crypto_hash_sha256_init(&state);
	/*
	 * Each with its NUL, and an absent one unlike an empty one: nothing can move between
	 * members.
	 */
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		crypto_hash_sha256_update(&state,
					  (const unsigned char *)(members[i] ? members[i] : "\x01"),
					  members[i] ? strlen(members[i]) + 1 : 2);
	add_more(&state, r);
	crypto_hash_sha256_final(&state, hash);
	memcpy(r->digest, hash, sizeof(r->digest));
}
