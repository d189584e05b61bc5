/* A program outside of the tree: one op, compiled and run on bytes; and a pack read and asked. */
#include <stdio.h>

#include <rules/ruleset.h>
#include <transforms/program.h>

static int translate(void)
{
    static const char text[] = "{\"id\":9007199254740993,\"total\":234.40}";
    char in[sizeof text + DG_JSON_PADDING] = {0};
    memcpy(in, text, sizeof text);
    const dg_op op = {.kind = DG_OP_RENAME, .name = DG_SLICE("total"), .to = DG_SLICE("amount")};
    const dg_ops ops = {&op, 1}, *steps[] = {&ops};
    dg_diags diags;
    dg_program *program = NULL;
    dg_runner *runner = NULL;
    dg_buf out;
    dg_diags_init(&diags);
    dg_buf_init(&out, 1 << 20);
    int failed = dg_program_compile(steps, 1, &diags, &program) != DG_OK ||
                 dg_runner_new(&runner) != DG_OK ||
                 dg_run(runner, program, dg_slice_of(in, sizeof text - 1), &out, NULL) != DG_OK;
    if (!failed)
        printf("%.*s\n", DG_SLICE_FMT(dg_buf_slice(&out)));
    dg_runner_free(runner);
    dg_program_free(program);
    dg_buf_free(&out);
    dg_diags_free(&diags);
    return failed;
}

static int read_pack(const char *dir)
{
    const dg_pack_source source = {.dir = dir};
    dg_diags diags;
    dg_ruleset *rules = NULL;
    dg_diags_init(&diags);
    int failed = dg_ruleset_load(&source, 1, &diags, &rules) != DG_OK;
    dg_diags_print(&diags, stderr);
    if (!failed) {
        const dg_api *api = dg_ruleset_api(rules, 0);
        printf("%s %s..%s\n", api->name, api->versions[0].name, api->backend->name);
    }
    dg_ruleset_free(rules);
    dg_diags_free(&diags);
    return failed;
}

int main(int argc, char **argv)
{
    return argc != 2 || translate() || read_pack(argv[1]);
}
