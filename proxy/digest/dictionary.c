#include "proxy/digest/dictionary.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return is_lower(dg_ascii_lower(c));
}

static bool is_base64_char(char c)
{
    return is_alpha(c) || is_digit(c) || c == '+' || c == '/';
}

bool dg_is_base64(dg_slice text)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i + padding < text.len; i++)
        if (!is_base64_char(text.ptr[i]))
            return false;
    return text.len % 4 == 0;
}

static bool take(dg_slice *rest, char c)
{
    if (!rest->len || rest->ptr[0] != c)
        return false;
    *rest = dg_slice_from(*rest, 1);
    return true;
}

static void skip(dg_slice *rest, const char *bytes)
{
    while (rest->len && rest->ptr[0] && strchr(bytes, rest->ptr[0]))
        *rest = dg_slice_from(*rest, 1);
}

static bool take_key(dg_slice *rest, dg_slice *ret_key)
{
    size_t len = 0;
    if (!rest->len || !(is_lower(rest->ptr[0]) || rest->ptr[0] == '*'))
        return false;
    while (len < rest->len && rest->ptr[len] &&
           (is_lower(rest->ptr[len]) || is_digit(rest->ptr[len]) || strchr("_-.*", rest->ptr[len])))
        len++;
    *ret_key = dg_slice_until(*rest, len);
    *rest = dg_slice_from(*rest, len);
    return true;
}

static bool take_bytes(dg_slice *rest, dg_slice *ret_base64)
{
    if (!take(rest, ':'))
        return false;
    size_t end = dg_slice_find(*rest, ':');
    *ret_base64 = dg_slice_until(*rest, end);
    *rest = dg_slice_from(*rest, end);
    return take(rest, ':') && dg_is_base64(*ret_base64);
}

/* A quoted string (RFC 8941 4.2.5). */
static bool skip_string(dg_slice *rest)
{
    while (rest->len) {
        char c = rest->ptr[0];
        *rest = dg_slice_from(*rest, 1);
        if (c == '"')
            return true;
        if (c < 0x20 || c == 0x7F)
            return false;
        if (c == '\\' && !take(rest, '"') && !take(rest, '\\'))
            return false;
    }
    return false;
}

/* An integer of 15 digits at most, or a decimal of 12 and 3 (RFC 8941 4.2.4). */
static bool skip_number(dg_slice *rest)
{
    size_t whole = 0, fraction = 0;
    (void)take(rest, '-');
    while (whole < rest->len && is_digit(rest->ptr[whole]))
        whole++;
    *rest = dg_slice_from(*rest, whole);
    if (!take(rest, '.'))
        return whole >= 1 && whole <= 15;
    while (fraction < rest->len && is_digit(rest->ptr[fraction]))
        fraction++;
    *rest = dg_slice_from(*rest, fraction);
    return whole >= 1 && whole <= 12 && fraction >= 1 && fraction <= 3;
}

static void skip_token(dg_slice *rest)
{
    while (rest->len && rest->ptr[0] &&
           (is_alpha(rest->ptr[0]) || is_digit(rest->ptr[0]) || strchr("!#$%&'*+-.^_`|~:/", rest->ptr[0])))
        *rest = dg_slice_from(*rest, 1);
}

/* Any bare item (RFC 8941 4.2.3.1). */
static bool skip_item(dg_slice *rest)
{
    dg_slice bytes;
    char c = rest->len ? rest->ptr[0] : '\0';
    if (c == '"')
        return take(rest, '"') && skip_string(rest);
    if (c == ':')
        return take_bytes(rest, &bytes);
    if (c == '?')
        return take(rest, '?') && (take(rest, '0') || take(rest, '1'));
    if (c == '-' || is_digit(c))
        return skip_number(rest);
    if (!is_alpha(c) && c != '*')
        return false;
    skip_token(rest);
    return true;
}

/* Parameters have no meaning here, but must be well-formed (RFC 8941 4.2.3.2). */
static bool skip_parameters(dg_slice *rest)
{
    dg_slice key;
    while (take(rest, ';')) {
        skip(rest, " ");
        if (!take_key(rest, &key) || (take(rest, '=') && !skip_item(rest)))
            return false;
    }
    return true;
}

/* Behind a member: the end, or a comma and another member. */
static bool take_comma(dg_slice *rest)
{
    skip(rest, " \t");
    if (!rest->len)
        return true;
    if (!take(rest, ','))
        return false;
    skip(rest, " \t");
    return rest->len > 0;
}

dg_status dg_dictionary_next(dg_slice *rest, dg_entry *ret_entry)
{
    dg_slice at = *rest;
    dg_entry entry;
    if (!at.len)
        return DG_NOT_FOUND;
    if (!take_key(&at, &entry.key) || !take(&at, '=') || !take_bytes(&at, &entry.base64) || !skip_parameters(&at) ||
        !take_comma(&at))
        return DG_SYNTAX;
    *rest = at;
    *ret_entry = entry;
    return DG_OK;
}
