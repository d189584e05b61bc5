#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/date.h"
#include "proxy/lifecycle/lifecycle.h"

static int64_t at(const char *text, bool end_of_day)
{
    int64_t when = 0;
    assert_int_equal(dg_date_parse(dg_slice_str(text), end_of_day, &when), DG_OK);
    return when;
}

static dg_version dated(const char *deprecated, const char *sunset)
{
    return (dg_version){.name = "v1",
                        .deprecated = deprecated ? at(deprecated, false) : DG_NEVER,
                        .sunset = sunset ? at(sunset, true) : DG_NEVER};
}

static void expect_fields(const dg_version *version, const char *successor, bool has_deprecation,
                          bool has_sunset, const char *want)
{
    dg_buf out;
    dg_buf_init(&out, 0);
    if (*successor)
        dg_lifecycle_successor(dg_slice_str(successor), &out);
    dg_lifecycle_fields(version, has_deprecation, has_sunset, &out);
    dg_buf_add_char(&out, '\0');
    assert_int_equal(out.status, DG_OK);
    assert_string_equal(out.ptr, want);
    dg_buf_free(&out);
}

static void stages_follow_the_dates_to_the_second(void **state)
{
    (void)state;
    dg_version v = dated("2026-01-01", "2027-06-30");
    int64_t deprecated = 1767225600, sunset = at("2027-06-30T23:59:59Z", false);
    assert_int_equal(v.deprecated, deprecated);
    assert_int_equal(v.sunset, sunset);
    assert_int_equal(dg_lifecycle_stage(&v, 0), DG_STAGE_ANNOUNCED);
    assert_int_equal(dg_lifecycle_stage(&v, deprecated - 1), DG_STAGE_ANNOUNCED);
    assert_int_equal(dg_lifecycle_stage(&v, deprecated), DG_STAGE_DEPRECATED);
    assert_int_equal(dg_lifecycle_stage(&v, sunset - 1), DG_STAGE_DEPRECATED);
    assert_int_equal(dg_lifecycle_stage(&v, sunset), DG_STAGE_SUNSET);
    assert_int_equal(dg_lifecycle_stage(&v, INT64_MAX), DG_STAGE_SUNSET);
}

static void a_version_without_dates_stays_active(void **state)
{
    (void)state;
    dg_version v = dated(NULL, NULL);
    assert_int_equal(dg_lifecycle_stage(&v, INT64_MAX), DG_STAGE_ACTIVE);
    assert_int_equal(dg_lifecycle_stage(&v, INT64_MIN), DG_STAGE_ACTIVE);
    dg_version only_sunset = dated(NULL, "2027-06-30");
    assert_int_equal(dg_lifecycle_stage(&only_sunset, 1767225600), DG_STAGE_ANNOUNCED);
    assert_int_equal(dg_lifecycle_stage(&only_sunset, only_sunset.sunset), DG_STAGE_SUNSET);
}

static void stages_have_names(void **state)
{
    (void)state;
    assert_string_equal(dg_stage_name(DG_STAGE_ACTIVE), "active");
    assert_string_equal(dg_stage_name(DG_STAGE_ANNOUNCED), "announced");
    assert_string_equal(dg_stage_name(DG_STAGE_DEPRECATED), "deprecated");
    assert_string_equal(dg_stage_name(DG_STAGE_SUNSET), "sunset");
}

static void all_fields_come_in_order(void **state)
{
    (void)state;
    dg_version v = dated("2026-01-01", "2027-06-30");
    v.docs = DG_SLICE("https://example.com/v1");
    expect_fields(&v, "/api/v2/orders/7?page=2", false, false,
                  "Link: </api/v2/orders/7?page=2>; rel=\"successor-version\"\r\n"
                  "Deprecation: @1767225600\r\n"
                  "Sunset: Wed, 30 Jun 2027 23:59:59 GMT\r\n"
                  "Link: <https://example.com/v1>; rel=\"deprecation\"; type=\"text/html\"\r\n"
                  "Link: <https://example.com/v1>; rel=\"sunset\"; type=\"text/html\"\r\n");
}

static void only_what_applies_is_said(void **state)
{
    (void)state;
    dg_version active = dated(NULL, NULL);
    active.docs = DG_SLICE("https://example.com/v2");
    expect_fields(&active, "", false, false, "");
    expect_fields(&active, "/v3/x", false, false, "Link: </v3/x>; rel=\"successor-version\"\r\n");
    dg_version deprecated = dated("2026-01-01", NULL);
    expect_fields(&deprecated, "", false, false, "Deprecation: @1767225600\r\n");
    dg_version sunset = dated(NULL, "2027-06-30");
    sunset.docs = DG_SLICE("/docs");
    expect_fields(&sunset, "", false, false,
                  "Sunset: Wed, 30 Jun 2027 23:59:59 GMT\r\n"
                  "Link: </docs>; rel=\"sunset\"; type=\"text/html\"\r\n");
}

static void what_the_backend_said_is_not_doubled(void **state)
{
    (void)state;
    dg_version v = dated("2026-01-01", "2027-06-30");
    expect_fields(&v, "", true, false, "Sunset: Wed, 30 Jun 2027 23:59:59 GMT\r\n");
    expect_fields(&v, "", false, true, "Deprecation: @1767225600\r\n");
    expect_fields(&v, "", true, true, "");
}

static void a_link_cannot_be_broken_out_of(void **state)
{
    (void)state;
    dg_version v = dated(NULL, NULL);
    expect_fields(&v, "/a>; rel=\"x\"\r\nSet-Cookie: a=b\t\x7f\xc3\xa9<%20|\\", false, false,
                  "Link: </a%3E;%20rel=%22x%22%0D%0ASet-Cookie:%20a=b%09%7F%C3%A9%3C%20%7C%5C>; "
                  "rel=\"successor-version\"\r\n");
    dg_buf out;
    dg_buf_init(&out, 0);
    dg_lifecycle_successor(dg_slice_of("/a\0b", 4), &out);
    assert_true(
        dg_slice_eq(dg_buf_slice(&out), DG_SLICE("Link: </a%00b>; rel=\"successor-version\"\r\n")));
    dg_buf_free(&out);
}

static void a_full_buffer_says_so(void **state)
{
    (void)state;
    dg_version v = dated("2026-01-01", "2027-06-30");
    dg_buf out;
    dg_buf_init(&out, 20);
    dg_lifecycle_fields(&v, false, false, &out);
    assert_int_equal(out.status, DG_LIMIT);
    dg_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_follow_the_dates_to_the_second),
        cmocka_unit_test(a_version_without_dates_stays_active),
        cmocka_unit_test(stages_have_names),
        cmocka_unit_test(all_fields_come_in_order),
        cmocka_unit_test(only_what_applies_is_said),
        cmocka_unit_test(what_the_backend_said_is_not_doubled),
        cmocka_unit_test(a_link_cannot_be_broken_out_of),
        cmocka_unit_test(a_full_buffer_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
