#include <inttypes.h>
#include <stdio.h>

#include "rules/doc/doc.h"

#include "base/hash.h"

/* What the YAML 1.2 core schema makes of a plain scalar. BAD_NUMBER: a number there that JSON
 * cannot write. */
typedef enum plain_type { IS_STRING, IS_NULL, IS_BOOL, IS_NUMBER, IS_BAD_NUMBER } plain_type;

static bool is_one_of(dg_slice s, const char *const *words)
{
    for (; *words; words++)
        if (dg_slice_eq(s, dg_slice_str(*words)))
            return true;
    return false;
}

static size_t skip_digits(dg_slice s, size_t at)
{
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  (YAML 1.2.2, 10.3.2) */
static bool is_core_number(dg_slice s)
{
    size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    size_t whole = skip_digits(s, at), end = whole;
    if (end < s.len && s.ptr[end] == '.') {
        end = skip_digits(s, whole + 1);
        if (whole == at && end == whole + 1)
            return false;
    } else if (whole == at) {
        return false;
    }
    if (end < s.len && (s.ptr[end] == 'e' || s.ptr[end] == 'E')) {
        size_t digits = end + 1;
        digits += digits < s.len && (s.ptr[digits] == '-' || s.ptr[digits] == '+');
        end = skip_digits(s, digits);
        if (end == digits)
            return false;
    }
    return end == s.len;
}

/* 0x and 0o integers, infinities and not-a-number. */
static bool is_exotic_number(dg_slice s)
{
    static const char *const words[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf",
                                        "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
                                        ".NaN",  ".NAN",  NULL};
    if (is_one_of(s, words))
        return true;
    if (s.len < 3 || s.ptr[0] != '0' || (s.ptr[1] != 'x' && s.ptr[1] != 'o'))
        return false;
    const char *digits = s.ptr[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
    for (size_t i = 2; i < s.len; i++)
        if (!s.ptr[i] || !strchr(digits, s.ptr[i]))
            return false;
    return true;
}

/* Given a core number: is it one in JSON too (RFC 8259, 6)? */
static bool is_json_number(dg_slice s)
{
    size_t at = s.ptr[0] == '-', whole = skip_digits(s, at);
    if (s.ptr[0] == '+' || whole == at || (s.ptr[at] == '0' && whole > at + 1))
        return false;
    return !(whole < s.len && s.ptr[whole] == '.' && skip_digits(s, whole + 1) == whole + 1);
}

static plain_type type_of(dg_slice s, bool quoted)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    if (quoted)
        return IS_STRING;
    if (is_one_of(s, nulls))
        return IS_NULL;
    if (is_one_of(s, bools))
        return IS_BOOL;
    if (is_exotic_number(s))
        return IS_BAD_NUMBER;
    if (!is_core_number(s))
        return IS_STRING;
    return is_json_number(s) ? IS_NUMBER : IS_BAD_NUMBER;
}

const char *dg_node_describe(const dg_node *node)
{
    if (node->kind == DG_NODE_MAP)
        return "a map";
    if (node->kind == DG_NODE_LIST)
        return "a list";
    switch (type_of(node->text, node->quoted)) {
    case IS_NULL:
        return "nothing";
    case IS_BOOL:
        return "true or false";
    case IS_NUMBER:
    case IS_BAD_NUMBER:
        return "a number";
    case IS_STRING:
        break;
    }
    return node->text.len ? "a string" : "an empty string";
}

bool dg_node_is_null(const dg_node *node)
{
    return node->kind == DG_NODE_SCALAR && type_of(node->text, node->quoted) == IS_NULL;
}

bool dg_node_is_string(const dg_node *node)
{
    return node->kind == DG_NODE_SCALAR && type_of(node->text, node->quoted) == IS_STRING;
}

/* A scalar by what it is, not by how it is written: "a" and a are the same, null and ~ too, 1 and "1" not. */
static uint64_t scalar_digest(dg_slice text, bool quoted, uint64_t before)
{
    const uint64_t type = type_of(text, quoted);
    return dg_hash(type == IS_NULL ? DG_SLICE("null") : text,
                   dg_hash(dg_slice_of(&type, sizeof type), before));
}

uint64_t dg_node_digest(const dg_node *node, uint64_t before)
{
    const uint64_t shape[] = {(uint64_t)node->kind, node->count, node->key.ptr != NULL};
    uint64_t digest = dg_hash(dg_slice_of(shape, sizeof shape), before);
    if (node->key.ptr)
        digest = scalar_digest(node->key, node->key_quoted, digest);
    if (node->kind == DG_NODE_SCALAR)
        digest = scalar_digest(node->text, node->quoted, digest);
    for (const dg_node *child = node->first; child; child = child->next)
        digest = dg_node_digest(child, digest);
    return digest;
}

const dg_node *dg_node_get(const dg_node *map, const char *key)
{
    if (map->kind != DG_NODE_MAP)
        return NULL;
    for (const dg_node *n = map->first; n; n = n->next)
        if (dg_slice_eq(n->key, dg_slice_str(key)))
            return n;
    return NULL;
}

static bool wrong(const dg_node *node, const char *what, dg_diags *diags)
{
    dg_diags_add(diags, DG_ERROR, node->origin, "expected %s, found %s", what,
                 dg_node_describe(node));
    return false;
}

bool dg_node_want_map(const dg_node *node, const char *what, dg_diags *diags)
{
    return node->kind == DG_NODE_MAP || wrong(node, what, diags);
}

bool dg_node_want_list(const dg_node *node, const char *what, dg_diags *diags)
{
    return node->kind == DG_NODE_LIST || wrong(node, what, diags);
}

bool dg_node_want_string(const dg_node *node, const char *what, dg_diags *diags, dg_slice *ret_text)
{
    if (node->kind != DG_NODE_SCALAR || node->text.len == 0 || dg_node_is_null(node))
        return wrong(node, what, diags);
    if (strlen(node->text.ptr) != node->text.len) {
        dg_diags_add(diags, DG_ERROR, node->origin, "expected %s, found a NUL byte in it", what);
        return false;
    }
    *ret_text = node->text;
    return true;
}

bool dg_node_want_bool(const dg_node *node, const char *what, dg_diags *diags, bool *ret_value)
{
    if (node->kind != DG_NODE_SCALAR || type_of(node->text, node->quoted) != IS_BOOL)
        return wrong(node, what, diags);
    *ret_value = dg_ascii_lower(node->text.ptr[0]) == 't';
    return true;
}

bool dg_node_want_u64(const dg_node *node, const char *what, uint64_t min, uint64_t max,
                      dg_diags *diags, uint64_t *ret_value)
{
    if (node->kind != DG_NODE_SCALAR || node->text.len == 0 || node->text.len > 20 ||
        skip_digits(node->text, 0) != node->text.len || node->quoted)
        return wrong(node, what, diags);
    uint64_t value = 0;
    bool over = false;
    for (size_t i = 0; i < node->text.len; i++)
        over = over || __builtin_mul_overflow(value, 10, &value) ||
               __builtin_add_overflow(value, (uint64_t)(node->text.ptr[i] - '0'), &value);
    if (over || value < min || value > max) {
        dg_diags_add(diags, DG_ERROR, node->origin,
                     "expected %s from %" PRIu64 " to %" PRIu64 ", found %.*s", what, min, max,
                     DG_SLICE_FMT(node->text));
        return false;
    }
    *ret_value = value;
    return true;
}

bool dg_node_want_word(const dg_node *node, const char *const *words, dg_diags *diags,
                       size_t *ret_which)
{
    char list[256] = "";
    size_t at = 0;
    for (size_t i = 0; words[i]; i++) {
        if (node->kind == DG_NODE_SCALAR && dg_slice_eq(node->text, dg_slice_str(words[i]))) {
            *ret_which = i;
            return true;
        }
        const char *joint = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        int n = snprintf(list + at, sizeof list - at, "%s%s", joint, words[i]);
        if (n > 0 && (size_t)n < sizeof list - at)
            at += (size_t)n;
    }
    bool named = node->kind == DG_NODE_SCALAR && dg_node_is_string(node) && node->text.len;
    dg_diags_add(diags, DG_ERROR, node->origin, named ? "expected %s, found '%.*s'" : "expected %s, found %.*s",
                 list, DG_SLICE_FMT(named ? node->text : dg_slice_str(dg_node_describe(node))));
    return false;
}

/* The words, if they are few. */
static const char *few_words(const char *const *known, char *text, size_t size)
{
    enum { FEW = 12 };
    size_t count = 0, at = 0;
    while (known[count])
        count++;
    text[0] = '\0';
    if (count > FEW)
        return text;
    for (size_t i = 0; i < count && at < size; i++) {
        int n = snprintf(text + at, size - at, "%s%s", i == 0 ? "; known are " : ", ", known[i]);
        at += n < 0 ? size : (size_t)n;
    }
    return text;
}

bool dg_node_check_keys(const dg_node *map, const char *const *known, dg_diags *diags)
{
    char words[200];
    bool good = true;
    for (const dg_node *n = map->first; n; n = n->next) {
        if (is_one_of(n->key, known))
            continue;
        const char *meant = dg_diags_full(diags) ? NULL : dg_did_you_mean(n->key, known);
        dg_diags_add(diags, DG_ERROR, n->key_origin,
                     meant ? "'%.*s' is not known here; did you mean '%s'?"
                           : "'%.*s' is not known here%s",
                     DG_SLICE_FMT(n->key), meant ? meant : few_words(known, words, sizeof words));
        good = false;
    }
    return good;
}

static bool scalar_json(dg_slice text, bool quoted, dg_origin origin, dg_diags *diags, dg_buf *out)
{
    switch (type_of(text, quoted)) {
    case IS_NULL:
        dg_buf_add_str(out, "null");
        return true;
    case IS_BOOL:
        dg_buf_add_str(out, dg_ascii_lower(text.ptr[0]) == 't' ? "true" : "false");
        return true;
    case IS_NUMBER:
        dg_buf_add(out, text);
        return true;
    case IS_STRING:
        dg_buf_add_json(out, text);
        return true;
    case IS_BAD_NUMBER:
        break;
    }
    dg_diags_add(diags, DG_ERROR, origin,
                 "%.*s is a number that JSON writes otherwise; write it as JSON does, or in quotes",
                 DG_SLICE_FMT(text));
    return false;
}

bool dg_node_json(const dg_node *node, dg_diags *diags, dg_buf *out)
{
    if (node->kind == DG_NODE_SCALAR)
        return scalar_json(node->text, node->quoted, node->origin, diags, out);
    bool is_map = node->kind == DG_NODE_MAP, good = true;
    dg_buf_add_char(out, is_map ? '{' : '[');
    for (const dg_node *n = node->first; n; n = n->next) {
        if (n != node->first)
            dg_buf_add_char(out, ',');
        if (is_map) {
            dg_buf_add_json(out, n->key);
            dg_buf_add_char(out, ':');
        }
        good &= dg_node_json(n, diags, out);
    }
    dg_buf_add_char(out, is_map ? '}' : ']');
    return good;
}

bool dg_node_key_json(const dg_node *child, dg_diags *diags, dg_buf *out)
{
    return scalar_json(child->key, child->key_quoted, child->key_origin, diags, out);
}
