#include "transforms/pass/describe.h"

#include "transforms/pattern.h"

enum { TEST_DEPTH_MAX = 32 };

void dg_describe_origin(dg_origin origin, dg_buf *out)
{
    if (origin.file)
        dg_buf_printf(out, "  # %s:%u", origin.file, (unsigned)origin.line);
}

static const char *naming(dg_naming n)
{
    return n == DG_CAMEL ? "camel" : "snake";
}

static void add_names(const dg_op *op, const char *before, dg_buf *out)
{
    for (size_t i = 0; i < op->name_count; i++)
        dg_buf_printf(out, "%s%.*s", i ? ", " : before, DG_SLICE_FMT(op->names[i]));
}

void dg_describe_naming(const dg_op *op, dg_buf *out)
{
    dg_buf_printf(out, "%s -> %s", naming(op->case_from), naming(op->case_to));
    add_names(op, ", but for ", out);
}

static void add_path(dg_path path, dg_buf *out)
{
    for (size_t i = 0; i < path.count; i++) {
        if (!path.steps[i].ptr)
            dg_buf_add_str(out, "[]");
        else
            dg_buf_printf(out, "%s%.*s", i ? "." : "", DG_SLICE_FMT(path.steps[i]));
    }
    if (path.count == 0)
        dg_buf_add_str(out, "the value");
}

static const char *test_word(dg_test_kind kind)
{
    switch (kind) {
    case DG_TEST_IS:
        return " is ";
    case DG_TEST_KIND:
        return " is of type ";
    case DG_TEST_EMPTY:
        return " is empty";
    case DG_TEST_LESS:
        return " is less than ";
    case DG_TEST_MATCHES:
        return " matches ";
    default:
        return " exists";
    }
}

static void add_test(const dg_test *test, unsigned depth, dg_buf *out)
{
    if (depth == TEST_DEPTH_MAX)
        return;
    if (test->kind == DG_TEST_ALWAYS) {
        dg_buf_add_str(out, "always");
    } else if (test->kind >= DG_TEST_ALL) {
        dg_buf_add_str(out, test->kind == DG_TEST_NOT ? "not (" : "(");
        for (size_t i = 0; i < test->part_count; i++) {
            if (i)
                dg_buf_add_str(out, test->kind == DG_TEST_ALL ? " and " : " or ");
            add_test(&test->parts[i], depth + 1, out);
        }
        dg_buf_add_char(out, ')');
    } else {
        add_path(test->path, out);
        dg_buf_add_str(out, test_word(test->kind));
        if (test->kind == DG_TEST_MATCHES)
            dg_buf_add(out, dg_pattern_text(test->pattern));
        else if (test->kind != DG_TEST_EMPTY && test->kind != DG_TEST_EXISTS)
            dg_buf_add(out, test->value);
    }
}

void dg_describe_test(const dg_test *test, dg_buf *out)
{
    add_test(test, 0, out);
}

static const char *cast_word(dg_cast cast)
{
    static const char *const words[] = {
#define WORD(kind, word) [DG_CAST_##kind] = word,
        DG_CAST_TABLE(WORD)
#undef WORD
    };
    return words[cast];
}

static void add_format(const dg_time_format *format, dg_buf *out)
{
    static const char *const words[] = {"unix", "unix_ms", "rfc3339", "http", "date"};
    if (format->kind == DG_TIME_PATTERN)
        dg_buf_add(out, format->pattern);
    else
        dg_buf_add_str(out, words[format->kind]);
}

static void add_policy(const dg_op *op, dg_buf *out)
{
    if (op->unknown == DG_UNKNOWN_REJECT)
        dg_buf_add_str(out, "; others are refused");
    if (op->unknown == DG_UNKNOWN_DEFAULT)
        dg_buf_printf(out, "; others become %.*s", DG_SLICE_FMT(op->value));
}

static void add_values(const dg_op *op, dg_buf *out)
{
    for (size_t i = 0; i < op->pair_count; i++)
        dg_buf_printf(out, "%s%.*s -> %.*s", i ? ", " : " ", DG_SLICE_FMT(op->pairs[i].from),
                      DG_SLICE_FMT(op->pairs[i].to));
    add_policy(op, out);
}

static void add_collision(const dg_op *op, dg_buf *out)
{
    if (op->collision != DG_COLLISION_REJECT)
        dg_buf_printf(out, "; if both are there, the %s one stays",
                      op->collision == DG_COLLISION_NEWER ? "newer" : "older");
}

static void add_places(const dg_op *op, dg_buf *out)
{
    dg_buf_add_char(out, ' ');
    add_path(op->path, out);
    if (op->target.count) {
        dg_buf_add_str(out, " -> ");
        add_path(op->target, out);
    }
    if (op->descending)
        dg_buf_add_str(out, ", descending");
    add_collision(op, out);
}

static void add_pair(const dg_op *op, dg_buf *out)
{
    if (op->name.len)
        dg_buf_printf(out, " %.*s", DG_SLICE_FMT(op->name));
    if (op->to.len)
        dg_buf_printf(out, " -> %.*s", DG_SLICE_FMT(op->to));
}

void dg_describe_op(const dg_op *op, dg_buf *out)
{
    dg_buf_add_str(out, dg_op_word(op->kind));
    switch (op->kind) {
    case DG_OP_CASE:
        dg_buf_add_char(out, ' ');
        dg_describe_naming(op, out);
        add_collision(op, out);
        break;
    case DG_OP_VALUES:
        add_values(op, out);
        break;
    case DG_OP_CAST:
        dg_buf_printf(out, " %s -> %s", cast_word(op->cast_from), cast_word(op->cast_to));
        add_policy(op, out);
        break;
    case DG_OP_TIME:
        dg_buf_add_char(out, ' ');
        add_format(&op->time_from, out);
        dg_buf_add_str(out, " -> ");
        add_format(&op->time_to, out);
        add_policy(op, out);
        break;
    case DG_OP_REPLACE:
        dg_buf_printf(out, " %.*s -> %.*s", DG_SLICE_FMT(dg_pattern_text(op->pattern)),
                      DG_SLICE_FMT(op->with));
        break;
    case DG_OP_KEEP:
        add_names(op, " ", out);
        break;
    case DG_OP_REFUSE:
        dg_buf_printf(out, " \"%.*s\"", DG_SLICE_FMT(op->with));
        break;
    case DG_OP_TEMPLATE:
        dg_buf_printf(out, " %.*s", DG_SLICE_FMT(op->value));
        break;
    case DG_OP_FILTER:
        dg_buf_add_str(out, " where ");
        dg_describe_test(op->test, out);
        break;
    case DG_OP_SPLIT:
    case DG_OP_JOIN:
        dg_buf_printf(out, " by \"%.*s\"", DG_SLICE_FMT(op->value));
        break;
    case DG_OP_MOVE:
    case DG_OP_COPY:
    case DG_OP_SUM:
    case DG_OP_COUNT:
    case DG_OP_SORT:
        add_places(op, out);
        break;
    default:
        add_pair(op, out);
        add_collision(op, out);
        break;
    }
}
