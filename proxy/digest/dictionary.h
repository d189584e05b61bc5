/* Private to this folder: dictionaries of byte sequences (RFC 8941 3.2, 3.3.5), strictly. */
#ifndef DG_DIGEST_DICTIONARY_H
#define DG_DIGEST_DICTIONARY_H

#include "base/slice.h"
#include "base/status.h"

typedef struct dg_entry {
    dg_slice key;
    dg_slice base64; /* between the colons; its alphabet and padding are checked */
} dg_entry;

/* The next member. DG_OK; DG_NOT_FOUND at the end; DG_SYNTAX, and then nothing of the whole counts. Start with the
 * field's value in *rest. */
DG_MUST_USE dg_status dg_dictionary_next(dg_slice *rest, dg_entry *ret_entry);

/* Whether a text is base64 with its padding (RFC 4648 4), and no more. */
bool dg_is_base64(dg_slice text);

#endif
