/* Skipping a value that nothing is done to: its grammar, and no more. Names are recognized rather
 * than read, so that where a value starts is known before the end of its name has been found. */
#include "transforms/text/isa.h"

#include "transforms/text/scan.h"

/* Stands for the token that nobody knows: it is longer than any text. Never written. */
static dg_token unknown = {"", 0, SIZE_MAX, &unknown, &unknown};

void dg_tokens_init(dg_tokens *tokens)
{
    tokens->root = unknown;
    for (size_t i = 0; i < DG_TOKENS_MAX; i++)
        tokens->at[i] = unknown;
}

/* Whether the token is at p, its comma, and inside the text. `first`: there is none, but something
 * else of that length. */
static inline bool is_at(const dg_scan *s, const dg_token *token, const char *p, bool first)
{
    dg_mask mask = first ? token->mask & ~(dg_mask)1 : token->mask;
    return (~dg_block_equal(token->text, p) & mask) == 0 && token->len < (size_t)(s->end - p);
}

/* The token of the name at p that ends behind its colon, `len` bytes on, less than a block: learned
 * in one of two places if it is not known, whoever was there before. */
static dg_token *learn(dg_tokens *tokens, const char *p, size_t len)
{
    uint64_t head;
    memcpy(&head, p + 1, sizeof head);
    if (len < sizeof head + 3)
        head &= ((uint64_t)1 << 8 * (len - 3)) - 1;
    uint64_t hash =
        (head ^ (uint64_t)len << 56 ^ (uint64_t)(uint8_t)p[len - 3] << 20) * 0x9E3779B97F4A7C15u;
    dg_mask mask = (dg_mask)(((uint64_t)2 << len) - 1);
    dg_token *token;
    for (uint64_t i = 0; i < 2; i++) {
        token = &tokens->at[(hash >> 56 ^ i) & (DG_TOKENS_MAX - 1)];
        if (token->mask == mask && (~dg_block_equal(token->text, p - 1) & mask & ~(dg_mask)1) == 0)
            return token;
        if (token->mask == 0)
            break;
    }
    dg_block_copy(token->text, p - 1);
    token->text[0] = ',';
    token->mask = mask;
    token->len = len + 1;
    return token;
}

/* A member's name and colon at p, and the white space around the colon. */
static const char *member(dg_scan *s, const char *p, dg_token **guess, dg_token **ret_token)
{
    if (p >= s->end || *p != '"')
        return dg_scan_fail(s, p, DG_SYNTAX, "expected a member name");
    const char *from = p;
    if (!(p = dg_scan_string(s, p + 1, NULL)))
        return NULL;
    if (p < s->end && *p == ':' && p - from < DG_BLOCK - 1 && s->tokens)
        *guess = *ret_token = learn(s->tokens, from, (size_t)(p - from) + 1);
    p = dg_scan_space(s, p);
    if (p >= s->end || *p != ':')
        return dg_scan_fail(s, p, DG_SYNTAX, "expected a colon");
    return dg_scan_space(s, p + 1);
}

/* The same, if it is not the one that is expected. */
static inline const char *name(dg_scan *s, const char *p, dg_token **guess, dg_token **ret_token)
{
    if (DG_UNLIKELY(!is_at(s, *guess, p - 1, true)))
        return member(s, p, guess, ret_token);
    *ret_token = *guess;
    return dg_scan_space(s, p - 1 + (*guess)->len);
}

/* A composite value that is open. */
typedef struct level {
    dg_token *token; /* of the member whose value it is */
    bool object;
} level;

static const char *composite(dg_scan *s, const char *p, const unsigned depth_max)
{
    level open[DG_JSON_DEPTH_MAX];
    unsigned depth = 0;
    const char *const end = s->end;
    dg_token outside = unknown;
    dg_token *token = s->tokens ? &s->tokens->root : &outside;
    bool object = false;
    for (;;) {
        /* A value starts at p. */
        const char *q = dg_plain_scalar(p, false, NULL);
        if (DG_LIKELY(q && q < end)) {
            p = q;
        } else if (p < end && (*p == '{' || *p == '[')) {
            if (depth >= depth_max)
                return dg_scan_fail(s, p, DG_LIMIT, "nested too deep");
            object = *p == '{';
            open[depth++] = (level){token, object};
            p = dg_scan_space(s, p + 1);
            if (DG_LIKELY(p >= end || *p != (object ? '}' : ']'))) {
                if (object && !(p = name(s, p, &token->first, &token)))
                    return NULL;
                continue;
            }
            p++;
            token = open[--depth].token;
            object = depth && open[depth - 1].object;
        } else if (!(p = dg_scan_scalar(s, p))) {
            return NULL;
        }
        if (DG_LIKELY(object && is_at(s, token->next, p, false))) {
            token = token->next;
            p = dg_scan_space(s, p + token->len);
            continue;
        }
        /* A value ended at p: close what ends with it. */
        for (;;) {
            if (depth == 0)
                return p;
            p = dg_scan_space(s, p);
            if (DG_UNLIKELY(p >= end || (*p != ',' && *p != (object ? '}' : ']'))))
                return dg_scan_fail(s, p, DG_SYNTAX,
                                    object ? "expected a comma or '}'" : "expected a comma or ']'");
            if (*p++ == ',')
                break;
            token = open[--depth].token;
            object = depth && open[depth - 1].object;
        }
        p = dg_scan_space(s, p);
        if (object && !(p = name(s, p, &token->next, &token)))
            return NULL;
    }
}

const char *dg_scan_value(dg_scan *s, const char *p, unsigned depth)
{
    if (p < s->end && (*p == '{' || *p == '['))
        return composite(s, p, DG_JSON_DEPTH_MAX - depth);
    const char *q = dg_plain_scalar(p, false, NULL);
    return DG_LIKELY(q && q <= s->end) ? q : dg_scan_scalar(s, p);
}
