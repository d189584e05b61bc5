#include "proxy/exchange/entity_tag.h"

#include <stdio.h>

#include "base/hash.h"
#include "proxy/http/fields.h"

enum { SUFFIX_BYTES = 128 };

/* ";v1-0123456789abcdef": the client's version, the pack, the version that the backend speaks, and the program that
 * applies it all. */
static dg_slice suffix_of(const dg_match *match, char space[SUFFIX_BYTES])
{
    uint64_t rules = dg_hash(DG_SLICE(DG_VERSION), match->api->digest);
    rules = dg_hash(dg_slice_str(match->backend->name), rules);
    int len = snprintf(space, SUFFIX_BYTES, ";%.64s-%016llx", match->version->name,
                       (unsigned long long)rules);
    return dg_slice_of(space, (size_t)len);
}

/* entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE. The opaque part, and what stands before its opening quote. */
static bool split(dg_slice tag, dg_slice *ret_before, dg_slice *ret_opaque)
{
    size_t weak = dg_slice_starts(tag, DG_SLICE("W/")) ? 2 : 0;
    if (tag.len < weak + 2 || tag.ptr[weak] != '"' || tag.ptr[tag.len - 1] != '"')
        return false;
    *ret_before = dg_slice_until(tag, weak);
    *ret_opaque = dg_slice_of(tag.ptr + weak + 1, tag.len - weak - 2);
    for (size_t i = 0; i < ret_opaque->len; i++) {
        unsigned char c = (unsigned char)ret_opaque->ptr[i];
        if (c <= 0x20 || c == 0x7F || c == '"')
            return false;
    }
    return true;
}

static void add_tag(dg_buf *out, dg_slice before, dg_slice opaque, dg_slice suffix)
{
    dg_buf_add(out, before);
    dg_buf_add_char(out, '"');
    dg_buf_add(out, opaque);
    dg_buf_add(out, suffix);
    dg_buf_add_char(out, '"');
}

bool dg_entity_tag_for_client(const dg_match *match, dg_slice tag, dg_buf *out)
{
    char space[SUFFIX_BYTES];
    dg_slice before, opaque;
    if (!split(tag, &before, &opaque))
        return false;
    add_tag(out, before, opaque, suffix_of(match, space));
    return true;
}

/* Takes the suffix off. False when the tag is not of this version and these rules. */
static bool take_suffix(dg_slice *opaque, dg_slice suffix)
{
    if (opaque->len < suffix.len ||
        !dg_slice_eq(dg_slice_from(*opaque, opaque->len - suffix.len), suffix))
        return false;
    opaque->len -= suffix.len;
    return true;
}

bool dg_entity_tags_for_backend(const dg_match *match, dg_slice list, bool keep_others, dg_buf *out)
{
    char space[SUFFIX_BYTES];
    dg_slice suffix = suffix_of(match, space), member, before, opaque;
    dg_list members = dg_list_of_value(list);
    bool any = false;
    while (dg_list_next(&members, &member)) {
        bool is_tag = split(member, &before, &opaque);
        bool ours = is_tag && take_suffix(&opaque, suffix);
        if (!ours && !keep_others && !dg_slice_eq(member, DG_SLICE("*")))
            continue;
        dg_buf_add(out, any ? DG_SLICE(", ") : DG_SLICE(""));
        if (ours)
            add_tag(out, before, opaque, (dg_slice){NULL, 0});
        else
            dg_buf_add(out, member);
        any = true;
    }
    return any;
}
