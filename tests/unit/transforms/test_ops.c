/* What each op does, and what every run owes its input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "transforms/name.h"
#include "try.h"

static const dg_ops none = {0};

#define OPS(...)                                                                                   \
    static const dg_op items[] = {__VA_ARGS__};                                                    \
    static const dg_ops list = LIST(items);                                                        \
    (void)state

static void rename_keeps_the_place(void **state)
{
    OPS(RENAME("total", "amount"));
    gives(&list, "{\"a\":1,\"total\":2.50,\"z\":3}", "{\"a\":1,\"amount\":2.50,\"z\":3}");
    gives(&list, "{ \"total\" : 1 }\n", "{ \"amount\" : 1 }\n");
    gives(&list, "{\"\\u0074otal\":1}", "{\"amount\":1}");
    gives(&list, "{\"\\u0061\":1}", "{\"\\u0061\":1}");
    gives(&list, "7", "7");
    refuses(&list, "[{\"total\":1}]", DG_INVALID, 0, "");
    refuses(&list, "{\"total\":1,\"amount\":2}", DG_INVALID, 11, "/amount");
    refuses(&list, "{\"x\":1,\"x\":2}", DG_INVALID, 7, "/x");
}

/* What is of the other kind than an op is for is not the shape that the pack describes: passing it untouched would
 * be the wrong version. Scalars have nothing to translate. */
static void the_other_kind_is_refused(void **state)
{
    static const dg_op renames[] = {RENAME("a", "b")};
    static const dg_ops rename = LIST(renames);
    OPS(EACH(&rename));
    gives(&list, "[{\"a\":1},null,7]", "[{\"b\":1},null,7]");
    gives(&list, "null", "null");
    refuses(&list, "{\"a\":1}", DG_INVALID, 0, "");
    refuses(&list, "[{\"a\":1},[]]", DG_INVALID, 9, "/1");
    static const dg_op ins[] = {IN("x", &list)};
    static const dg_ops in = LIST(ins);
    gives(&in, "{\"x\":\"id\"}", "{\"x\":\"id\"}");
    refuses(&in, "{\"x\":{}}", DG_INVALID, 5, "/x");
}

static void drop_takes_its_comma(void **state)
{
    OPS(DROP("x"));
    gives(&list, "{\"x\":1}", "{}");
    gives(&list, "{\"x\":[{}],\"a\":1}", "{\"a\":1}");
    gives(&list, "{\"a\":1,\"x\":1}", "{\"a\":1}");
    gives(&list, "{\"a\":1,\"x\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
    gives(&list, "{\n  \"x\": 1,\n  \"a\": 2\n}", "{\n  \"a\": 2\n}");
    gives(&list, "{\n  \"a\": 2,\n  \"x\": 1\n}", "{\n  \"a\": 2\n}");
    gives(&list, "{\n  \"x\": 1\n}", "{\n}");
    gives(&list, "{\"\\u0078\":1,\"x\":2}", "{}");
    refuses(&list, "{\"x\":[1,}", DG_SYNTAX, 8, "/x");
}

static void add_and_default(void **state)
{
    OPS(ADD("v", "2"), DEFAULT("d", "{\"k\":1}"));
    gives(&list, "{}", "{\"v\":2,\"d\":{\"k\":1}}");
    gives(&list, "{\"a\":1}", "{\"a\":1,\"v\":2,\"d\":{\"k\":1}}");
    gives(&list, "{\"d\":null}", "{\"d\":null,\"v\":2}");
    refuses(&list, "[]", DG_INVALID, 0, "");
    gives(&list, "7", "7");
    refuses(&list, "{\"a\":1,\"v\":1}", DG_INVALID, 7, "/v");
}

static void null_counts_as_absent_if_so_said(void **state)
{
    OPS({.kind = DG_OP_DEFAULT, .name = S("d"), .value = S("[1]"), .when_null = true});
    gives(&list, "{\"d\":null,\"e\":null}", "{\"d\":[1],\"e\":null}");
    gives(&list, "{\"d\":0}", "{\"d\":0}");
    gives(&list, "{}", "{\"d\":[1]}");
}

static void wrap_and_unwrap(void **state)
{
    static const dg_op wraps[] = {WRAP("data"), ADD("meta", "{\"v\":\"v2\"}")};
    static const dg_ops wrap = LIST(wraps);
    OPS(UNWRAP("data"));
    gives(&wrap, " [1, 2] \n", " {\"data\":[1, 2],\"meta\":{\"v\":\"v2\"}} \n");
    gives(&wrap, "null", "{\"data\":null,\"meta\":{\"v\":\"v2\"}}");
    gives(&list, "{\"meta\":{},\"data\" : [1, 2] ,\"z\":0}", "[1, 2]");
    gives(&list, "{\"d\\u0061ta\":\"x\"}\n", "\"x\"\n");
    refuses(&list, "{\"a\":1}", DG_INVALID, 6, "");
    refuses(&list, "[1]", DG_INVALID, 0, "");
    refuses(&list, "{\"data\":1,\"data\":2}", DG_INVALID, 10, "/data");
    refuses(&list, "{\"data\":1,\"a\":[}", DG_SYNTAX, 15, "/a");
}

static void wraps_cancel(void **state)
{
    OPS(WRAP("a"), WRAP("b"), RENAME("b", "c"), UNWRAP("c"), UNWRAP("a"), RENAME("x", "y"));
    gives(&list, "{\"x\":1}", "{\"y\":1}");
}

static void case_is_recursive_but_for_exceptions(void **state)
{
    static const dg_slice except[] = {S("meta_data")};
    OPS({.kind = DG_OP_CASE,
         .case_from = DG_SNAKE,
         .case_to = DG_CAMEL,
         .names = except,
         .name_count = 1});
    gives(&list, "[{\"order_id\":[{\"line_1\":{\"x_y\":1}}],\"meta_data\":{\"a_b\":1}}]",
          "[{\"orderId\":[{\"line_1\":{\"xY\":1}}],\"meta_data\":{\"a_b\":1}}]");
    gives(&list, "{\"_id\":1,\"a__b\":2,\"a_\":3}", "{\"_id\":1,\"a_B\":2,\"a_\":3}");
    refuses(&list, "{\"a\":{\"order_id\":1,\"orderId\":2}}", DG_INVALID, 19, "/a/orderId");
}

static void values_compare_decoded(void **state)
{
    static const dg_value_pair pairs[] = {
        {S("\"active\""), S("1")}, {S("0"), S("\"off\"")}, {S("null"), S("false")}};
    static const dg_op ops[] = {VALUES(pairs, DG_UNKNOWN_REJECT)};
    static const dg_ops body = LIST(ops);
    OPS(IN("s", &body));
    gives(&list, "{\"s\":\"active\"}", "{\"s\":1}");
    gives(&list, "{\"s\":\"\\u0061ctive\"}", "{\"s\":1}");
    gives(&list, "{\"s\":0,\"t\":0}", "{\"s\":\"off\",\"t\":0}");
    gives(&list, "{\"s\":null}", "{\"s\":false}");
    refuses(&list, "{\"s\":0.0}", DG_INVALID, 5, "/s");
    refuses(&list, "{\"s\":[]}", DG_INVALID, 5, "/s");
}

static void a_recursive_lens_reaches_every_level(void **state)
{
    static dg_ops node;
    static const dg_op children[] = {LENS(&node)};
    static const dg_ops child = LIST(children);
    static const dg_op each[] = {EACH(&child)};
    static const dg_ops in_children = LIST(each);
    static const dg_op ops[] = {RENAME("kids", "children"), IN("children", &in_children),
                                RENAME("n", "name")};
    node = (dg_ops)LIST(ops);
    OPS(LENS(&node));
    gives(&list, "{\"n\":1,\"kids\":[{\"n\":2,\"kids\":[{\"n\":3}]},{\"kids\":[]}]}",
          "{\"name\":1,\"children\":[{\"name\":2,\"children\":[{\"name\":3}]},{\"children\":[]}]}");
    /* The same node at two levels: what one object has says nothing about the other. */
    refuses(&list, "{\"n\":1,\"kids\":[{\"n\":2}],\"name\":3}", DG_INVALID, 24, "/name");
}

static void a_made_parent_goes_again(void **state)
{
    static const dg_op ups[] = {ADD("version", "\"v2\"")}, downs[] = {DROP("version")};
    static const dg_ops up = LIST(ups), down = LIST(downs);
    static const dg_op forth[] = {DEFAULT("meta", "{}"), IN("meta", &up)};
    static const dg_ops make = LIST(forth);
    OPS(IN("meta", &down), DROP_EMPTY("meta"));
    gives(&make, "{\"a\":1}", "{\"a\":1,\"meta\":{\"version\":\"v2\"}}");
    gives(&make, "{\"meta\":{\"b\":1}}", "{\"meta\":{\"b\":1,\"version\":\"v2\"}}");
    gives(&list, "{\"a\":1, \"meta\":{\"version\":\"v2\"}}", "{\"a\":1}");
    gives(&list, "{\"meta\": { \"version\":\"v2\", \"b\":1}}", "{\"meta\": { \"b\":1}}");
}

static void untouched_bytes_stay(void **state)
{
    OPS(RENAME("nothing", "else"));
    static const char *const texts[] = {
        "{\"keep\":9223372036854775808,\"n\":-0.0,\"e\":1E400,\"f\":234.40000000000000001}",
        "{\"s\":\"\\ud800 \\/ \\u0000 \xF0\x9F\x98\x80\",\"\":1,\"a\\u0000b\":2}",
        " { \"k\" : [ 1 ,\t2 ] }\r\n",
        "{ }",
        "{\"k\":[]}",
        "\"\"",
        "true",
        "0",
        "null",
        "-1e-7",
        "{\"old\\ud800\":1,\"old\":1}",
        "{\"k\":[[[[[[[[{\"a\":[]}]]]]]]]]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        gives(&list, texts[i], texts[i]);
}

/* A runner that has learned one order and one spacing meets all others: of four members, with two
 * kinds of separators, and one of them left out. */
static void any_order_and_spacing_after_any_other(void **state)
{
    (void)state;
    static const char *const separators[] = {",", ", ", ",\n    ", " ,\t", ",  "};
    static const char *const values[] = {"1", "\"two\"", "[ 3,{\"x_y\": null}]", "{\"x_y\":-4e1}"};
    static const char *const ends[] = {"1", "\"two\"", "[ 3,{\"xY\": null}]", "{\"xY\":-4e1}"};
    static const dg_op ops[] = {CAMEL};
    static const dg_ops list = LIST(ops);
    dg_program *program = compile(&list);
    dg_runner *runner;
    dg_buf in, want, got;
    dg_buf_init(&in, 0);
    dg_buf_init(&want, 0);
    dg_buf_init(&got, 0);
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (unsigned round = 0; round < 256 * 25; round++) {
        unsigned spacing = round % 25, order = round / 25 * 37 % 256, met = 0;
        dg_buf_clear(&in);
        dg_buf_clear(&want);
        dg_buf_clear(&got);
        for (unsigned i = 0; i < 4; i++) {
            unsigned member = order >> 2 * i & 3;
            const char *separator = met ? separators[i % 2 ? spacing % 5 : spacing / 5] : "{";
            if (met >> member & 1)
                continue;
            met |= 1u << member;
            dg_buf_printf(&in, "%s\"%c_name\":%s", separator, 'a' + (int)member, values[member]);
            dg_buf_printf(&want, "%s\"%cName\":%s", separator, 'a' + (int)member, ends[member]);
        }
        dg_buf_add_char(&in, '}');
        dg_buf_add_char(&want, '}');
        dg_slice text = dg_buf_slice(&in);
        for (int i = 0; i < DG_JSON_PADDING; i++)
            dg_buf_add_char(&in, "\":,}]1\\ "[i % 8]);
        text.ptr = in.ptr;
        assert_int_equal(dg_run(runner, program, text, &got, NULL), DG_OK);
        assert_true(dg_slice_eq(dg_buf_slice(&got), dg_buf_slice(&want)));
    }
    dg_buf_free(&in);
    dg_buf_free(&want);
    dg_buf_free(&got);
    dg_runner_free(runner);
    dg_program_free(program);
}

static void broken_texts_are_refused(void **state)
{
    OPS(SNAKE);
    refuses(&list, "", DG_SYNTAX, 0, "");
    refuses(&list, "  ", DG_SYNTAX, 2, "");
    refuses(&list, "{\"a\":1,}", DG_SYNTAX, 7, "");
    refuses(&list, "{key\":1}", DG_SYNTAX, 1, "");
    refuses(&list, "{,\"a\":1}", DG_SYNTAX, 1, "");
    refuses(&list, "[1,]", DG_SYNTAX, 3, "");
    refuses(&list, "{\"a\":012}", DG_SYNTAX, 6, "/a");
    refuses(&list, "{\"a\":+1}", DG_SYNTAX, 5, "/a");
    refuses(&list, "{\"a\":1}x", DG_SYNTAX, 7, "");
    refuses(&list, "\xEF\xBB\xBF{}", DG_SYNTAX, 0, "");
    refuses(&list, "{\"a\":\"\xC0\x80\"}", DG_SYNTAX, 6, "/a");
    refuses(&list, "{\"a\":\"\xED\xA0\x80\"}", DG_SYNTAX, 6, "/a");
    refuses(&list, "{\"a\":\"a\nb\"}", DG_SYNTAX, 7, "/a");
    refuses(&list, "{\"a\":\"\\x41\"}", DG_SYNTAX, 6, "/a");
    refuses(&list, "{\"a\":[1,2", DG_SYNTAX, 9, "/a/1");
    refuses(&list, "{\"a/b\":{\"c~\":[0,{\"d\":tru}]}}", DG_SYNTAX, 21, "/a~1b/c~0/1/d");
    refuses(&list, "{\"a\":{\"b\xFF\":1}}", DG_SYNTAX, 8, "/a");
    refuses(&list, "tru", DG_SYNTAX, 0, "");
    refuses(&list, "\"abc", DG_SYNTAX, 4, "");
    refuses(&list, "-", DG_SYNTAX, 1, "");
}

/* The rubbish behind the text must not complete it, wherever it is cut. */
static void a_cut_text_is_never_accepted(void **state)
{
    OPS(SNAKE, DROP("x"));
    static const char text[] = "{\"aB\":[1.5e3,true,{\"c\\u0041\":null}],\"x\":{\"y\":\"z\"},"
                               "\"long\":\"0123456789abcdef\"}";
    dg_program *program = compile(&list);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        dg_buf out;
        dg_buf_init(&out, 0);
        assert_int_equal(run_program(program, dg_slice_of(text, len), &out, NULL), DG_SYNTAX);
        dg_buf_free(&out);
    }
    dg_program_free(program);
}

/* Whatever follows the text, not a byte more than the padding is read, and none of it counts. */
static void only_the_padding_is_read(void **state)
{
    OPS(SNAKE);
    static const char *const texts[] = {
        "1", "-1", "1.5", "[1]", "{\"aB\":12}", "\"a\"", "[\"aB\"]", "null", "{\"a\":\"\\u00e9\"}"};
    static const char fill[] = "9.e\" \\\x80nu0";
    dg_program *program = compile(&list);
    dg_runner *runner;
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t k = 0; k < sizeof fill - 1; k++) {
            size_t len = strlen(texts[i]);
            char *text = malloc(len + DG_JSON_PADDING);
            dg_buf out;
            dg_buf_init(&out, 0);
            assert_non_null(text);
            memcpy(text, texts[i], len);
            memset(text + len, fill[k], DG_JSON_PADDING);
            assert_int_equal(dg_run(runner, program, dg_slice_of(text, len), &out, NULL), DG_OK);
            for (size_t cut = 0; cut < len; cut++)
                if (texts[i][0] != '1' && texts[i][0] != '-')
                    assert_int_equal(dg_run(runner, program, dg_slice_of(text, cut), &out, NULL),
                                     DG_SYNTAX);
            dg_buf_free(&out);
            free(text);
        }
    dg_runner_free(runner);
    dg_program_free(program);
}

static dg_status run_nested(const dg_program *program, size_t depth, char open, char close)
{
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    for (size_t i = 0; i < depth; i++)
        dg_buf_add_str(&in, open == '[' ? "[" : "{\"a\":");
    dg_buf_add_char(&in, '1');
    for (size_t i = 0; i < depth; i++)
        dg_buf_add_char(&in, close);
    dg_status status = run_program(program, dg_buf_slice(&in), &out, NULL);
    if (status == DG_OK)
        assert_true(dg_slice_eq(dg_buf_slice(&in), dg_buf_slice(&out)));
    dg_buf_free(&in);
    dg_buf_free(&out);
    return status;
}

static void depth_is_bounded(void **state)
{
    static const dg_op renames[] = {RENAME("q", "r")};
    static const dg_ops rename = LIST(renames);
    OPS(SNAKE);
    const dg_ops *lists[] = {&list, &rename};
    dg_program *programs[2];
    for (size_t i = 0; i < 2; i++) {
        dg_program *program = programs[i] = compile(lists[i]);
        assert_int_equal(run_nested(program, DG_JSON_DEPTH_MAX, '{', '}'), DG_OK);
        assert_int_equal(run_nested(program, DG_JSON_DEPTH_MAX + 1, '{', '}'), DG_LIMIT);
        assert_int_equal(run_nested(program, 100000, '{', '}'), DG_LIMIT);
        if (i == 1)
            continue; /* an array is not what a rename is for */
        assert_int_equal(run_nested(program, DG_JSON_DEPTH_MAX, '[', ']'), DG_OK);
        assert_int_equal(run_nested(program, DG_JSON_DEPTH_MAX + 1, '[', ']'), DG_LIMIT);
        assert_int_equal(run_nested(program, 100000, '[', ']'), DG_LIMIT);
    }
    for (size_t i = 0; i < 2; i++)
        dg_program_free(programs[i]);
}

/* Far more names than a lexicon holds: found to be distinct, or not, all the same. */
static void thousands_of_names(void **state)
{
    OPS(SNAKE, DROP("key_7"), RENAME("key_9", "nine"));
    dg_program *program = compile(&list);
    for (int twice = 0; twice < 2; twice++) {
        dg_buf in, out, want;
        dg_buf_init(&in, 0);
        dg_buf_init(&out, 0);
        dg_buf_init(&want, 0);
        for (int i = 0; i < 20000; i++) {
            dg_buf_printf(&in, "%s\"aKey%d\":%d", i ? "," : "{", i, i);
            dg_buf_printf(&want, "%s\"a_key%d\":%d", i ? "," : "{", i, i);
        }
        /* Collides with one far beyond what was learned. */
        dg_buf_add_str(&in, twice ? ",\"a_key\\u00319999\":0}" : ",\"key_7\":[],\"key_9\":1}");
        dg_buf_add_str(&want, ",\"nine\":1}");
        dg_run_error error;
        dg_status status = run_program(program, dg_buf_slice(&in), &out, &error);
        assert_int_equal(status, twice ? DG_INVALID : DG_OK);
        if (!twice)
            assert_true(dg_slice_eq(dg_buf_slice(&out), dg_buf_slice(&want)));
        else
            assert_string_equal(error.pointer, "/a_key19999");
        dg_buf_free(&in);
        dg_buf_free(&out);
        dg_buf_free(&want);
    }
    dg_program_free(program);
}

static void long_names(void **state)
{
    OPS(CAMEL);
    char name[2001];
    memset(name, 'x', 2000);
    name[2000] = 0;
    name[1000] = '_';
    dg_buf in, out;
    dg_buf_init(&in, 0);
    dg_buf_init(&out, 0);
    dg_program *program = compile(&list);
    dg_buf_printf(&in, "{\"%s\":{\"b_c\":1},\"a_b\":2}", name);
    assert_int_equal(run_program(program, dg_buf_slice(&in), &out, NULL), DG_OK);
    assert_int_equal(out.len, in.len - 3);
    dg_buf_clear(&in);
    dg_buf_clear(&out);
    dg_buf_printf(&in, "{\"%s\":1,\"%s\":2}", name, name);
    assert_int_equal(run_program(program, dg_buf_slice(&in), &out, NULL), DG_INVALID);
    dg_buf_free(&in);
    dg_buf_free(&out);
    dg_program_free(program);
}

static void output_is_appended_and_bounded(void **state)
{
    OPS(ADD("xyz", "[1,2,3,4,5]"));
    static const char text[128] = "{\"a\":1}";
    static const char want[] = "{\"a\":1,\"xyz\":[1,2,3,4,5]}";
    dg_program *program = compile(&list);
    dg_runner *runner;
    assert_int_equal(dg_runner_new(&runner), DG_OK);
    for (size_t max = 5; max < 40; max++) {
        dg_buf out;
        dg_run_error error;
        dg_buf_init(&out, max);
        dg_buf_add_str(&out, "abcd");
        dg_status status = dg_run(runner, program, dg_slice_of(text, 7), &out, &error);
        assert_int_equal(status, max < 4 + sizeof want - 1 ? DG_LIMIT : DG_OK);
        assert_int_equal(out.len, status == DG_OK ? 4 + sizeof want - 1 : 4);
        assert_int_equal(out.status, DG_OK);
        assert_memory_equal(out.ptr, "abcd", 4);
        if (status == DG_OK)
            assert_memory_equal(out.ptr + 4, want, sizeof want - 1);
        dg_buf_free(&out);
    }
    dg_runner_free(runner);
    dg_program_free(program);
}

static void refusal_names_the_op(void **state)
{
    OPS(ADD("v", "1"));
    dg_program *program = compile(&list);
    dg_buf out;
    dg_run_error error;
    dg_buf_init(&out, 0);
    assert_int_equal(run_program(program, DG_SLICE("{\"v\":2}"), &out, &error), DG_INVALID);
    assert_string_equal(error.origin.file, "pack.yaml");
    assert_int_equal(error.origin.line, 7);
    dg_buf_free(&out);
    dg_program_free(program);
}

static void compile_fails(const dg_ops *list)
{
    dg_diags diags;
    dg_program *program = NULL;
    dg_diags_init(&diags);
    assert_int_equal(dg_program_compile(&list, 1, &diags, &program), DG_INVALID);
    assert_true(diags.errors > 0);
    assert_null(program);
    dg_diags_free(&diags);
}

static void what_can_never_apply_is_told(void **state)
{
    static dg_ops endless, growing;
    static const dg_op itself[] = {LENS(&endless)}, grows[] = {WRAP("a"), LENS(&growing)};
    static const dg_op bad_json[] = {ADD("a", "{,}")}, wrong_wrap[] = {WRAP("a"), UNWRAP("b")},
                       twice[] = {ADD("a", "1"), ADD("a", "2")}, nothing[] = {{.kind = DG_OP_EACH}};
    static const dg_value_pair pairs[] = {{S("[1]"), S("1")}};
    static const dg_op row[] = {VALUES(pairs, DG_UNKNOWN_PASS)};
    static dg_ops deep;
    static const dg_op deeper[] = {DEFAULT("child", "{}"), IN("child", &deep)};
    (void)state;
    endless = (dg_ops)LIST(itself);
    growing = (dg_ops)LIST(grows);
    deep = (dg_ops)LIST(deeper);
    compile_fails(&endless);
    compile_fails(&growing);
    compile_fails(&deep);
    compile_fails(&(const dg_ops)LIST(bad_json));
    compile_fails(&(const dg_ops)LIST(wrong_wrap));
    compile_fails(&(const dg_ops)LIST(twice));
    compile_fails(&(const dg_ops)LIST(nothing));
    compile_fails(&(const dg_ops)LIST(row));
}

static void identity_is_known(void **state)
{
    static const dg_op lens[] = {LENS(&none), EACH(&none)};
    static const dg_ops nothing = LIST(lens);
    OPS(RENAME("a", "b"));
    dg_program *program = compile(&nothing);
    assert_true(dg_program_is_identity(program));
    dg_buf out;
    dg_buf_init(&out, 0);
    assert_int_equal(run_program(program, DG_SLICE("{\"a\":1,\"a\":1} "), &out, NULL), DG_OK);
    dg_buf_free(&out);
    dg_program_free(program);
    program = compile(&list);
    assert_false(dg_program_is_identity(program));
    dg_program_free(program);
}

static void names_are_converted_by_one_algorithm(void **state)
{
    static const char *const camel[][2] = {
        {"orderID", "order_i_d"}, {"OrderId", "Order_id"}, {"aé", "aé"}, {"", ""}, {"a_B", "a__b"}};
    static const char *const snake[][2] = {{"order_i_d", "orderID"},
                                           {"address_1", "address_1"},
                                           {"_a_b", "_aB"},
                                           {"a__b", "a_B"},
                                           {"a_B", "a_B"}};
    dg_buf out;
    (void)state;
    dg_buf_init(&out, 0);
    for (size_t i = 0; i < 5; i++) {
        dg_buf_clear(&out);
        dg_name_convert(dg_slice_str(camel[i][0]), DG_CAMEL, DG_SNAKE, &out);
        assert_true(dg_slice_eq(dg_buf_slice(&out), dg_slice_str(camel[i][1])));
        dg_buf_clear(&out);
        dg_name_convert(dg_slice_str(snake[i][0]), DG_SNAKE, DG_CAMEL, &out);
        assert_true(dg_slice_eq(dg_buf_slice(&out), dg_slice_str(snake[i][1])));
    }
    dg_buf_free(&out);
}

static void names_are_decoded_and_encoded(void **state)
{
    static const char *const cases[][3] = {
        {"\\u0061\\n\\\"\\\\\\/", "a\n\"\\/", "\"a\\u000a\\\"\\\\/\""},
        {"\\ud83d\\uDE00", "\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
        {"\\ud800x", "\xED\xA0\x80x", "\"\\ud800x\""},
        {"\\u00e9\\u20AC", "é€", "\"é€\""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dg_buf name, text;
        dg_buf_init(&name, 0);
        dg_buf_init(&text, 0);
        dg_name_decode(dg_slice_str(cases[i][0]), &name);
        assert_true(dg_slice_eq(dg_buf_slice(&name), dg_slice_str(cases[i][1])));
        dg_name_encode(dg_buf_slice(&name), &text);
        assert_true(dg_slice_eq(dg_buf_slice(&text), dg_slice_str(cases[i][2])));
        dg_buf_free(&name);
        dg_buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rename_keeps_the_place),
        cmocka_unit_test(the_other_kind_is_refused), cmocka_unit_test(drop_takes_its_comma),
        cmocka_unit_test(add_and_default),
        cmocka_unit_test(null_counts_as_absent_if_so_said),
        cmocka_unit_test(wrap_and_unwrap),
        cmocka_unit_test(wraps_cancel),
        cmocka_unit_test(case_is_recursive_but_for_exceptions),
        cmocka_unit_test(values_compare_decoded),
        cmocka_unit_test(a_recursive_lens_reaches_every_level),
        cmocka_unit_test(a_made_parent_goes_again),
        cmocka_unit_test(any_order_and_spacing_after_any_other),
        cmocka_unit_test(untouched_bytes_stay),
        cmocka_unit_test(broken_texts_are_refused),
        cmocka_unit_test(a_cut_text_is_never_accepted),
        cmocka_unit_test(only_the_padding_is_read),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(thousands_of_names),
        cmocka_unit_test(long_names),
        cmocka_unit_test(output_is_appended_and_bounded),
        cmocka_unit_test(refusal_names_the_op),
        cmocka_unit_test(what_can_never_apply_is_told),
        cmocka_unit_test(identity_is_known),
        cmocka_unit_test(names_are_converted_by_one_algorithm),
        cmocka_unit_test(names_are_decoded_and_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
