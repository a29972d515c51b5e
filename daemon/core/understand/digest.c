/*
 * The same id with the same meaning is a re-delivery; with another meaning it is other content and
 * worth a note. The time is left out: senders stamp a message anew when they repeat it. The
 * category counts as given, so that a changed code table does not make old messages look different.
 */
#include <sodium/crypto_hash_sha256.h>
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "core/understand/stages.h"

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
	crypto_hash_sha256_final(&state, hash);
	memcpy(r->digest, hash, sizeof(r->digest));
}
