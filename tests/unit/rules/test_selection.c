/* Which version a request names: every place, their order, and the same in the backend's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/request/media.h"
#include "rules/ruleset.h"

static dg_ruleset *load(const char *dir)
{
    dg_diags diags;
    dg_diags_init(&diags);
    dg_ruleset *set = NULL;
    const dg_pack_source source = {.dir = dir};
    dg_status status = dg_ruleset_load(&source, 1, &diags, &set);
    dg_diags_print(&diags, stderr);
    assert_int_equal(status, DG_OK);
    dg_diags_free(&diags);
    return set;
}

/* Lines "Name: value", ended by NULL. */
static dg_slice line_of(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    dg_slice found = {NULL, 0};
    *ret_count = 0;
    for (const char *const *line = context; line && *line; line++) {
        dg_slice text = dg_slice_str(*line);
        size_t colon = dg_slice_find(text, ':');
        if (dg_slice_ieq(dg_slice_until(text, colon), name) && (*ret_count)++ == index)
            found = dg_slice_from(text, colon + 2);
    }
    return found;
}

typedef struct row {
    const char *path, *query, *host;
    const char *fields[4];
    dg_match_result result;
    const char *version;
    dg_selector by;
} row;

static const row rows[] = {
    {"/s/v1/x", "", "h", {NULL}, DG_MATCH_OK, "v1", DG_BY_PATH},
    {"/s/x", "", "h", {NULL}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/v9/x", "", "h", {NULL}, DG_MATCH_UNKNOWN_VERSION, NULL, DG_BY_NONE},
    {"/s/1/x", "", "h", {NULL}, DG_MATCH_UNKNOWN_ENDPOINT, "v2", DG_BY_DEFAULT}, /* no alias in a path */
    {"/s/x", "", "h", {"api-version: v3"}, DG_MATCH_OK, "v3", DG_BY_HEADER},
    {"/s/x", "", "h", {"API-Version: 1"}, DG_MATCH_OK, "v1", DG_BY_HEADER},
    {"/s/x", "", "h", {"Accept-Version:  v3\t"}, DG_MATCH_OK, "v3", DG_BY_HEADER},
    {"/s/x", "", "h", {"API-Version: v1", "Accept-Version: 1"}, DG_MATCH_OK, "v1", DG_BY_HEADER},
    {"/s/x", "", "h", {"API-Version: v1", "Accept-Version: v2"}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},
    {"/s/x", "", "h", {"API-Version: v1", "API-Version: v1"}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},
    {"/s/x", "", "h", {"API-Version: v4"}, DG_MATCH_UNKNOWN_VERSION, NULL, DG_BY_NONE},
    {"/s/x", "", "h", {"API-Version: "}, DG_MATCH_UNKNOWN_VERSION, NULL, DG_BY_NONE},
    {"/s/v1/x", "", "h", {"API-Version: v3"}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},

    {"/s/x", "", "h", {"Accept: application/vnd.acme.v1+json"}, DG_MATCH_OK, "v1", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: Application/Vnd.Acme.3+json"}, DG_MATCH_UNKNOWN_VERSION, NULL, DG_BY_NONE},
    {"/s/x", "", "h", {"Accept: application/vnd.acme.1+json"}, DG_MATCH_OK, "v1", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: text/html, application/vnd.acme.v1+json;q=0.5, application/vnd.acme.v3+json"},
     DG_MATCH_OK, "v3", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: application/vnd.acme.v1+json; q=0.500, application/vnd.acme.v3+json;q=0.49"},
     DG_MATCH_OK, "v1", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: application/vnd.acme.v1+json;q=0"}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/x", "", "h", {"Accept: application/vnd.acme.v9+json, application/vnd.acme.v1+json;q=0.1"},
     DG_MATCH_OK, "v1", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: application/vnd.acme.v9+json, */*;q=0.1"}, DG_MATCH_UNKNOWN_VERSION, NULL,
     DG_BY_NONE},
    {"/s/x", "", "h", {"Accept: text/html", "Accept: application/vnd.acme.v3+json"}, DG_MATCH_OK, "v3",
     DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: application/json;version=\"v1\";q=1"}, DG_MATCH_OK, "v1", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: application/json;note=\"a,b;version=v1\";version=3x"}, DG_MATCH_UNKNOWN_VERSION,
     NULL, DG_BY_NONE},
    {"/s/x", "", "h", {"Accept: */*"}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/x", "", "h", {"Content-Type: application/json; VERSION=v1"}, DG_MATCH_OK, "v1", DG_BY_MEDIA_TYPE},
    {"/s/x", "", "h", {"Accept: application/json;version=v1", "Content-Type: application/vnd.acme.v3+json"},
     DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},

    {"/s/x", "a=1&v=v1", "h", {NULL}, DG_MATCH_OK, "v1", DG_BY_QUERY},
    {"/s/x", "v=%76%31", "h", {NULL}, DG_MATCH_OK, "v1", DG_BY_QUERY},
    {"/s/x", "v=1&v=1", "h", {NULL}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},
    {"/s/x", "v", "h", {NULL}, DG_MATCH_UNKNOWN_VERSION, NULL, DG_BY_NONE},

    {"/s/x", "", "V1.api.EXAMPLE:8080", {NULL}, DG_MATCH_OK, "v1", DG_BY_HOST},
    {"/s/x", "", "old.api.example", {NULL}, DG_MATCH_OK, "v1", DG_BY_HOST},
    {"/s/x", "", "api.example", {NULL}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/x", "", "[::1]:80", {NULL}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/x", "v=v2", "v1.api.example", {NULL}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},

    {"/s/x", "", "h", {"X-Tenant: acme"}, DG_MATCH_OK, "v1", DG_BY_PIN},
    {"/s/x", "", "h", {"X-Tenant: tenant-7"}, DG_MATCH_OK, "v3", DG_BY_PIN},
    {"/s/x", "", "h", {"X-Tenant: ACME"}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/x", "", "h", {"X-Tenant: #"}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    {"/s/x", "", "h", {"X-Tenant: acme", "X-Tenant: tenant-7"}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},
    {"/s/x", "", "h", {"X-Tenant: acme", "API-Version: v3"}, DG_MATCH_OK, "v3", DG_BY_HEADER},
};

static dg_match_result match(const dg_ruleset *set, const row *r, dg_match *m)
{
    const dg_request_view view = {.method = DG_SLICE("GET"),
                                  .path = dg_slice_str(r->path),
                                  .query = dg_slice_str(r->query),
                                  .host = dg_slice_str(r->host),
                                  .field = line_of,
                                  .context = r->fields};
    return dg_ruleset_match(set, &view, m);
}

static void each_place_names_a_version(void **state)
{
    (void)state;
    dg_ruleset *set = load(DG_TEST_DATA "/data/packs/selectors");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dg_match m;
        dg_match_result result = match(set, &rows[i], &m);
        const char *version = result == DG_MATCH_CONTRADICTION || !m.version ? NULL : m.version->name;
        if (result != rows[i].result || m.selected_by != rows[i].by ||
            (version == NULL) != (rows[i].version == NULL) || (version && strcmp(version, rows[i].version) != 0))
            fail_msg("row %zu (%s): result %d, version %s by %s", i, rows[i].fields[0] ? rows[i].fields[0] : rows[i].path,
                     (int)result, version ? version : "none", dg_selector_word(m.selected_by));
    }
    assert_true(dg_slice_eq(dg_ruleset_api(set, 0)->vary,
                            DG_SLICE("API-Version, Accept-Version, Accept, X-Tenant")));
    dg_ruleset_free(set);
}

static void expect_field(const dg_match *m, bool client, const char *name, const char *value, const char *expected)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    bool names = (client ? dg_match_field_for_client : dg_match_field_for_backend)(m, dg_slice_str(name),
                                                                                   dg_slice_str(value), &out);
    assert_int_equal(names, expected != NULL);
    dg_buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, expected ? expected : "");
    dg_buf_free(&out);
}

static void fields_name_the_version_of_the_other_side(void **state)
{
    (void)state;
    dg_ruleset *set = load(DG_TEST_DATA "/data/packs/selectors");
    dg_match m;
    const row r = {"/s/v1/x", "", "h", {NULL}, DG_MATCH_OK, "v1", DG_BY_PATH};
    assert_int_equal(match(set, &r, &m), DG_MATCH_OK);
    expect_field(&m, false, "api-version", "v1", "v3");
    expect_field(&m, false, "API-Version", "1", "v3"); /* v3 has no such alias */
    expect_field(&m, false, "X-Other", "v1", NULL);
    expect_field(&m, false, "Accept", "text/html , application/vnd.acme.v1+json;q=0.5,*/*",
                 "text/html , application/vnd.acme.v3+json;q=0.5,*/*");
    expect_field(&m, false, "Accept", "application/json; version=\"v1\" , application/json;version=1",
                 "application/json; version=\"v3\" , application/json;version=v3");
    expect_field(&m, false, "Accept", "application/vnd.acme.v9+json", NULL);
    expect_field(&m, true, "Content-Type", "application/vnd.acme.v3+json; charset=utf-8",
                 "application/vnd.acme.v1+json; charset=utf-8");
    expect_field(&m, true, "Content-Type", "application/json", NULL);
    const row by_host = {"/s/x", "", "v1.api.example", {NULL}, DG_MATCH_OK, "v1", DG_BY_HOST};
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_false(dg_match_host_for_backend(&m, &out));
    assert_int_equal(match(set, &by_host, &m), DG_MATCH_OK);
    assert_true(dg_match_host_for_backend(&m, &out));
    assert_true(dg_slice_eq(dg_buf_slice(&out), DG_SLICE("v3.api.example")));
    dg_buf_free(&out);
    dg_ruleset_free(set);
}

static dg_slice said_by(const void *context, dg_slice part)
{
    const char *const *parts = context; /* the uri and the cn */
    return dg_slice_eq(part, DG_SLICE("uri"))  ? dg_slice_str(parts[0])
           : dg_slice_eq(part, DG_SLICE("cn")) ? dg_slice_str(parts[1])
                                               : (dg_slice){NULL, 0};
}

static dg_slice no_line(const void *context, dg_slice name, size_t index, size_t *ret_count)
{
    (void)context, (void)name, (void)index;
    *ret_count = 0;
    return (dg_slice){NULL, 0};
}

static void certificates_are_pinned(void **state)
{
    (void)state;
    static const struct {
        const char *parts[2];
        dg_match_result result;
        const char *version;
        dg_selector by;
    } table[] = {
        {{"spiffe://x.example/old", "x"}, DG_MATCH_OK, "v1", DG_BY_PIN},
        {{"", "Ada%20Obi"}, DG_MATCH_OK, "v1", DG_BY_PIN},
        {{"spiffe://x.example/new", "Ada%20Obi"}, DG_MATCH_OK, "v2", DG_BY_PIN}, /* the first selector that names one */
        {{"spiffe://x.example/other, spiffe://x.example/old", ""}, DG_MATCH_OK, "v1", DG_BY_PIN},
        {{"spiffe://x.example/new, spiffe://x.example/old", ""}, DG_MATCH_CONTRADICTION, NULL, DG_BY_NONE},
        {{"spiffe://x.example/ol", "Ada Obi"}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
        {{"", ""}, DG_MATCH_OK, "v2", DG_BY_DEFAULT},
    };
    dg_ruleset *set = load(DG_TEST_DATA "/data/packs/certificates");
    dg_request_view view = {.method = DG_SLICE("GET"), .path = DG_SLICE("/c/x"), .field = no_line, .certificate = said_by};
    dg_match m;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        view.context = table[i].parts;
        assert_int_equal(dg_ruleset_match(set, &view, &m), table[i].result);
        assert_int_equal(m.selected_by, table[i].by);
        if (table[i].version)
            assert_string_equal(m.version->name, table[i].version);
    }
    view.certificate = NULL; /* who asks has no connection */
    assert_int_equal(dg_ruleset_match(set, &view, &m), DG_MATCH_OK);
    assert_string_equal(m.version->name, "v2");
    assert_true(dg_slice_eq(m.api->vary, DG_SLICE("API-Version")));
    dg_ruleset_free(set);
}

static void weights(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        unsigned weight;
    } table[] = {{"a/b", 1000},        {"a/b;q=0", 0},       {"a/b;q=0.5", 500}, {"a/b; Q=0.125", 125}, {"a/b;q=1.000", 1000},
                 {"a/b;q=1.001", 0},   {"a/b;q=2", 0},       {"a/b;q=", 0},      {"a/b;q=0.1234", 0},   {"a/b;q=.5", 0},
                 {"a/b;x=\";q=0\"", 1000}, {"a/b;x=\"\\\";q=0\";q=0.1", 100}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(dg_media_weight(dg_slice_str(table[i].range)), table[i].weight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_names_a_version),
        cmocka_unit_test(fields_name_the_version_of_the_other_side),
        cmocka_unit_test(certificates_are_pinned),
        cmocka_unit_test(weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
