/* selected_by of api.yaml: how a request names its version, in the order of precedence. */
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "rules/reader/pack.h"

#define EXPECTED                                                                                                 \
    "expected path, header: NAME, media_type: TYPE or {parameter: NAME}, query: NAME, host: {NAME: VERSION}, "  \
    "pin: {header: NAME, file: FILE}, pin: {client_certificate: cn, file: FILE} or default: VERSION"

const char *dg_selector_word(dg_selector selector)
{
    static const char *const words[] = {
        [DG_BY_NONE] = "none", [DG_BY_PATH] = "path",   [DG_BY_HEADER] = "header", [DG_BY_MEDIA_TYPE] = "media_type",
        [DG_BY_QUERY] = "query", [DG_BY_HOST] = "host", [DG_BY_PIN] = "pin",       [DG_BY_DEFAULT] = "default"};
    return words[selector];
}

static bool fail(dg_pack *pack, dg_origin origin, const char *message)
{
    dg_diags_add(pack->diags, DG_ERROR, origin, "%s", message);
    return false;
}

static bool all_in(dg_slice s, const char *marks)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
              (s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] && strchr(marks, s.ptr[i]))))
            return false;
    return s.len > 0 && s.len <= 128;
}

static bool is_token(dg_slice s)
{
    return all_in(s, "!#$%&'*+-.^_`|~");
}

static bool read_field_name(dg_pack *pack, const dg_node *node, dg_slice *ret_name)
{
    if (!dg_node_want_string(node, "the name of a field", pack->diags, ret_name))
        return false;
    if (is_token(*ret_name))
        return true;
    dg_diags_add(pack->diags, DG_ERROR, node->origin, "'%s' is no name of a header field", ret_name->ptr);
    return false;
}

static bool read_header(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    if (!read_field_name(pack, how, &rule->name))
        return false;
    for (size_t i = 0; i < pack->selection.count; i++)
        if (pack->selection.rules[i].by == DG_BY_HEADER && dg_slice_ieq(pack->selection.rules[i].name, rule->name))
            return fail(pack, how->origin, "this field selects already");
    if (!pack->api.version_field.len)
        pack->api.version_field = rule->name;
    return true;
}

static bool read_query(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    return dg_node_want_string(how, "the name of a parameter", pack->diags, &rule->name) &&
           (all_in(rule->name, "-._~") ||
            fail(pack, how->origin, "a parameter's name is made of letters, digits and - . _ ~"));
}

/* A text with {version} in it, once. */
static bool read_spelling(dg_pack *pack, const dg_node *node, dg_slice text, const char *marks,
                          dg_spelling *ret_spelling)
{
    const dg_slice hole = DG_SLICE("{version}");
    for (size_t at = 0; at + hole.len <= text.len; at++) {
        if (!dg_slice_starts(dg_slice_from(text, at), hole))
            continue;
        *ret_spelling = (dg_spelling){dg_slice_until(text, at), dg_slice_from(text, at + hole.len)};
        dg_slice parts[] = {ret_spelling->before, ret_spelling->after};
        bool good = parts[0].len + parts[1].len > 0;
        for (size_t i = 0; i < 2; i++)
            good &= parts[i].len == 0 || all_in(parts[i], marks);
        return good || fail(pack, node->origin, "there is a character that cannot be there");
    }
    return fail(pack, node->origin, "expected {version} where the version stands");
}

static bool read_media_type(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    static const char *const keys[] = {"parameter", NULL};
    dg_slice text;
    if (how->kind == DG_NODE_MAP) {
        const dg_node *parameter = dg_node_get(how, "parameter");
        if (!dg_node_check_keys(how, keys, pack->diags))
            return false;
        if (!parameter)
            return fail(pack, how->origin, "expected {parameter: NAME}");
        if (!dg_node_want_string(parameter, "the name of a parameter", pack->diags, &rule->name))
            return false;
        bool good = is_token(rule->name) && !dg_slice_ieq(rule->name, DG_SLICE("q"));
        return good || fail(pack, parameter->origin, "this is no name of a media type's parameter");
    }
    if (!dg_node_want_string(how, "a media type: 'application/vnd.acme.{version}+json'", pack->diags, &text))
        return false;
    return (dg_slice_find(text, '/') < text.len || fail(pack, how->origin, "a media type has a slash")) &&
           read_spelling(pack, how, text, "!#$&-^_.+/", &rule->spelling);
}

static bool read_host_rows(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    if (how->count > DG_HOSTS_MAX)
        return fail(pack, how->origin, "there are too many hosts");
    dg_host_row *rows = dg_arena_alloc(pack->arena, (how->count + 1) * sizeof *rows);
    dg_slice text;
    for (const dg_node *n = how->first; n && rows; n = n->next) {
        if (!all_in(n->key, "-.:[]"))
            return fail(pack, n->key_origin, "this is no name of a host; it stands without its port");
        if (!dg_node_want_string(n, "the name of a version", pack->diags, &text))
            return false;
        const dg_version *version = dg_pack_version(pack, text, n->origin);
        if (!version)
            return false;
        rows[rule->host_count++] = (dg_host_row){n->key, version};
    }
    rule->hosts = rows;
    return rule->host_count || fail(pack, how->origin, "no host would select a version");
}

static bool read_host(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    dg_slice text;
    if (how->kind == DG_NODE_MAP)
        return read_host_rows(pack, how, rule);
    return dg_node_want_string(how, "a host: '{version}.api.example.com', or a map from hosts to versions",
                               pack->diags, &text) &&
           read_spelling(pack, how, text, "-.", &rule->spelling);
}

static bool read_part(dg_pack *pack, const dg_node *node, dg_slice *ret_part)
{
    static const char *const parts[] = {"cn", "sha256", "uri", "dns", "email"};
    if (!dg_node_want_string(node, "a part of a certificate: cn, sha256, uri, dns or email", pack->diags, ret_part))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (dg_slice_eq(*ret_part, dg_slice_str(parts[i])))
            return true;
    dg_diags_add(pack->diags, DG_ERROR, node->origin,
                 "'%s' is no part of a certificate: write cn, sha256, uri, dns or email", ret_part->ptr);
    return false;
}

static bool read_pin(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    static const char *const keys[] = {"client_certificate", "file", "header", NULL};
    if (!dg_node_want_map(how, "a map: {header: X-Client, file: pins.txt}", pack->diags) ||
        !dg_node_check_keys(how, keys, pack->diags))
        return false;
    const dg_node *header = dg_node_get(how, "header"), *file = dg_node_get(how, "file");
    const dg_node *certificate = dg_node_get(how, "client_certificate");
    if (!header == !certificate)
        return fail(pack, how->origin,
                    "a pin needs either 'header', the field that tells the client, or 'client_certificate'");
    rule->by_certificate = certificate != NULL;
    return (certificate ? read_part(pack, certificate, &rule->name) : read_field_name(pack, header, &rule->name)) &&
           (!file || dg_node_want_string(file, "a file of the pack", pack->diags, &rule->pin_file));
}

static bool read_default(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    dg_slice text;
    if (!dg_node_want_string(how, "the name of a version", pack->diags, &text))
        return false;
    rule->version = dg_pack_version(pack, text, how->origin);
    return rule->version != NULL;
}

static bool read_path(dg_pack *pack, const dg_node *how, dg_selector_rule *rule)
{
    (void)how;
    (void)rule;
    return pack->api.by_path = true;
}

static const struct {
    dg_selector by;
    bool often; /* may come more than once */
    bool (*read)(dg_pack *pack, const dg_node *how, dg_selector_rule *rule);
} readers[] = {
    {DG_BY_PATH, false, read_path},   {DG_BY_HEADER, true, read_header}, {DG_BY_MEDIA_TYPE, true, read_media_type},
    {DG_BY_QUERY, false, read_query}, {DG_BY_HOST, false, read_host},    {DG_BY_PIN, true, read_pin},
    {DG_BY_DEFAULT, false, read_default},
};

enum { READER_COUNT = sizeof readers / sizeof *readers };

/* Its row in the table; READER_COUNT when the node is no selector. */
static size_t reader_of(const dg_node *node, const dg_node **ret_how)
{
    const dg_node *how = node->kind == DG_NODE_MAP && node->count == 1 ? node->first : NULL;
    dg_slice word = how ? how->key : node->kind == DG_NODE_SCALAR ? node->text : (dg_slice){NULL, 0};
    for (size_t i = 0; i < READER_COUNT; i++)
        if (dg_slice_eq(word, dg_slice_str(dg_selector_word(readers[i].by))) &&
            (how != NULL) == (readers[i].by != DG_BY_PATH)) {
            *ret_how = how;
            return i;
        }
    return READER_COUNT;
}

static void read_selector(dg_pack *pack, const dg_node *node)
{
    dg_selection_rules *rules = &pack->selection;
    const dg_node *how;
    size_t which = reader_of(node, &how);
    if (which == READER_COUNT) {
        fail(pack, node->origin, EXPECTED);
        return;
    }
    for (size_t i = 0; i < rules->count && !readers[which].often; i++)
        if (rules->rules[i].by == readers[which].by) {
            fail(pack, node->origin, "this way of selecting comes twice");
            return;
        }
    if (rules->count == DG_SELECTORS_MAX) {
        fail(pack, node->origin, "there are too many ways of selecting");
        return;
    }
    dg_selector_rule rule = {.by = readers[which].by, .origin = node->origin};
    if (rule.by == DG_BY_DEFAULT && node->next)
        fail(pack, node->origin, "default comes last, when nothing else selects");
    if (readers[which].read(pack, how, &rule))
        rules->rules[rules->count++] = rule;
}

static void read_contradiction(dg_pack *pack, const dg_node *root)
{
    const dg_node *node = dg_node_get(root, "contradiction");
    if (!node)
        return;
    bool scalar = node->kind == DG_NODE_SCALAR;
    pack->selection.first_wins = scalar && dg_slice_eq(node->text, DG_SLICE("first"));
    if (!pack->selection.first_wins && !(scalar && dg_slice_eq(node->text, DG_SLICE("reject"))))
        fail(pack, node->origin, "expected reject or first");
}

void dg_pack_read_selectors(dg_pack *pack, const dg_node *root)
{
    read_contradiction(pack, root);
    const dg_node *list = dg_node_get(root, "selected_by");
    if (!list) {
        pack->api.by_path = true;
        pack->selection.rules[pack->selection.count++] = (dg_selector_rule){.by = DG_BY_PATH, .origin = root->origin};
        return;
    }
    if (!dg_node_want_list(list, "a list: [path, header: NAME, query: NAME, default: VERSION]", pack->diags))
        return;
    if (!list->count)
        fail(pack, list->origin, "nothing would select a version");
    for (const dg_node *n = list->first; n; n = n->next)
        read_selector(pack, n);
}

/* ---- pins: a line for each client, "VALUE VERSION"; # begins a comment */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The words of a line: false when there are none. `problem` is set when they are not two. */
static bool split_line(dg_slice line, dg_slice *ret_value, dg_slice *ret_version, const char **ret_problem)
{
    dg_slice words[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    size_t count = 0;
    for (size_t i = 0; i < line.len && count < 3;) {
        size_t from = i;
        while (i < line.len && !is_space(line.ptr[i]))
            i++;
        if (i > from && line.ptr[from] == '#' && count == 0)
            break;
        if (i > from)
            words[count++] = dg_slice_of(line.ptr + from, i - from);
        while (i < line.len && is_space(line.ptr[i]))
            i++;
    }
    *ret_value = words[0];
    *ret_version = words[1];
    *ret_problem = count && count != 2                  ? "expected a client and a version: 'acme v1'"
                   : words[0].len > DG_PIN_BYTES_MAX ? "the client's value is too long"
                                                      : NULL;
    return count > 0;
}

/* How a client's value must be written, so that it can ever be met; NULL = well. */
static const char *value_problem(const dg_selector_rule *rule, dg_slice value)
{
    if (!rule->by_certificate)
        return NULL;
    bool sha256 = dg_slice_eq(rule->name, DG_SLICE("sha256")), hex = value.len == 64;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        hex &= (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (c <= ' ' || c > '~' || c == ',' || c == '"')
            return "in what a certificate says, all but visible ASCII, and , and \" and %, is written as %HH";
    }
    return sha256 && !hex ? "the sha256 of a certificate has 64 digits of 0-9 and a-f" : NULL;
}

static void add_pin(dg_pack *pack, dg_pins *pins, dg_slice value, const dg_version *version, dg_origin origin)
{
    dg_pin *slots = (dg_pin *)(uintptr_t)pins->slots;
    size_t at = dg_hash(value, dg_hash_seed()) & pins->mask;
    for (; slots[at].version; at = (at + 1) & pins->mask)
        if (dg_slice_eq(slots[at].value, value)) {
            if (slots[at].version != version)
                fail(pack, origin, "this client is pinned to another version already");
            return;
        }
    slots[at] = (dg_pin){value, version};
    pins->count++;
}

static void read_pins(dg_pack *pack, dg_slice text, const char *file, dg_selector_rule *rule)
{
    dg_pins *pins = &rule->pins;
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    if (lines > DG_PINS_MAX) {
        fail(pack, (dg_origin){file, 0, 0}, "has too many lines");
        return;
    }
    size_t size = 4;
    while (size < lines * 2)
        size *= 2;
    pins->mask = size - 1;
    pins->slots = dg_arena_zalloc(pack->arena, size * sizeof *pins->slots);
    for (uint32_t number = 1; text.len && pins->slots; number++) {
        size_t end = dg_slice_find(text, '\n');
        dg_slice line = dg_slice_until(text, end), value, name;
        dg_origin origin = {file, number, 1};
        const char *problem;
        text = dg_slice_from(text, end + 1);
        if (!split_line(line, &value, &name, &problem))
            continue;
        if (!problem)
            problem = value_problem(rule, value);
        const dg_version *version = problem ? NULL : dg_pack_version(pack, name, origin);
        if (problem)
            fail(pack, origin, problem);
        if (version)
            add_pin(pack, pins, value, version, origin);
    }
}

/* The whole file in the pack's arena; .ptr NULL after an error. */
static dg_slice load_file(dg_pack *pack, const char *path)
{
    dg_slice text = {NULL, 0};
    if (dg_file_read(pack->arena, path, DG_PIN_FILE_BYTES_MAX, pack->diags, &text) == DG_NOMEM)
        pack->arena->failed = true;
    return text;
}

static void finish_pin(dg_pack *pack, dg_selector_rule *rule, const char *operators_file)
{
    const char *path = operators_file;
    if (!path && !rule->pin_file.len) {
        fail(pack, rule->origin,
             "the pins are in no file: name one here with 'file', or in the configuration with 'pins'");
        return;
    }
    if (!path && !(path = dg_pack_path(pack, rule->pin_file, rule->origin)))
        return;
    dg_slice text = load_file(pack, path);
    if (text.ptr)
        read_pins(pack, text, path, rule);
}

/* The fields whose values decide (RFC 9110 12.5.5), each once. */
static void list_fields(dg_pack *pack)
{
    dg_buf list;
    dg_buf_init(&list, 0);
    bool accept = false;
    for (size_t i = 0; i < pack->selection.count; i++) {
        const dg_selector_rule *rule = &pack->selection.rules[i];
        bool typed = rule->by == DG_BY_MEDIA_TYPE;
        bool pinned = rule->by == DG_BY_PIN && !rule->by_certificate; /* a connection's certificate is no field */
        if (!(rule->by == DG_BY_HEADER || pinned || (typed && !accept)))
            continue;
        dg_buf_add_str(&list, list.len ? ", " : "");
        dg_buf_add(&list, typed ? DG_SLICE("Accept") : rule->name);
        accept |= typed;
    }
    if (list.status != DG_OK)
        pack->arena->failed = true;
    else if (list.len)
        pack->api.vary = dg_arena_dup(pack->arena, dg_buf_slice(&list));
    dg_buf_free(&list);
}

void dg_pack_finish_selectors(dg_pack *pack, const char *pins_file, dg_origin origin)
{
    bool pinned = false;
    for (size_t i = 0; i < pack->selection.count; i++)
        if (pack->selection.rules[i].by == DG_BY_PIN) {
            finish_pin(pack, &pack->selection.rules[i], pins_file);
            pinned = true;
        }
    if (pins_file && !pinned)
        fail(pack, origin, "there are pins for this pack, but it does not select by them: 'selected_by' has no pin");
    list_fields(pack);
}
