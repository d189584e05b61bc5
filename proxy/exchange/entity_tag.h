/* Entity tags of translated representations (RFC 9110 8.8.3). The backend's tag does not name the bytes that the
 * client gets: they are also of the client's version, and of the rules. So the tag says these too,
 *   "abc"  of the backend is  "abc;v1-0123456789abcdef"  for the client,
 * and is taken apart again when it comes back. Other rules make another tag. Pure functions. */
#ifndef DG_EXCHANGE_ENTITY_TAG_H
#define DG_EXCHANGE_ENTITY_TAG_H

#include "base/buf.h"
#include "rules/ruleset.h"

/* Appends the client's tag for a backend's. False, and nothing appended, when it is no entity tag. */
bool dg_entity_tag_for_client(const dg_match *match, dg_slice tag, dg_buf *out);

/* Appends what the backend is asked instead of a list of tags in If-None-Match or If-Match. Tags of other versions
 * and rules name nothing that is here: in If-None-Match they are left out, for the backend might know what is left
 * of them as a representation that the client does not have; in If-Match (keep_others) they stay, and do not
 * match. False, and nothing appended, when no member is left. */
bool dg_entity_tags_for_backend(const dg_match *match, dg_slice list, bool keep_others, dg_buf *out);

#endif
