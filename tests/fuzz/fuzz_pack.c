/* A pack from bytes: api.yaml, a line of "----", and a change. Whatever they say, loading ends, and
 * what it accepts serves requests. What can be laid out is laid out once and for all, and what can
 * be upgraded can be read. */
#include <stdlib.h>
#include <string.h>

#include "rules/compile/compiled.h"
#include "rules/doc/fmt.h"
#include "rules/doc/upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char separator[] = "\n----\n";

static void match_some(const dg_compiled_api *api)
{
    for (size_t v = 0; v < api->pack.api.version_count; v++)
        for (size_t i = 0; i < api->pack.api.versions[v].endpoint_count; i++) {
            const dg_endpoint *e = api->pack.api.versions[v].endpoints[i];
            dg_table_match found;
            (void)dg_table_find(&api->tables[v], e->method, e->path, &found);
        }
}

static void lay_out(dg_slice text)
{
    dg_diags diags;
    dg_buf once, twice;
    dg_diags_init(&diags);
    dg_buf_init(&once, 8 << 20);
    dg_buf_init(&twice, 8 << 20);
    if (dg_fmt(text, "change.yaml", &diags, &once) == DG_OK &&
        (dg_fmt(dg_buf_slice(&once), "change.yaml", &diags, &twice) != DG_OK ||
         !dg_slice_eq(dg_buf_slice(&once), dg_buf_slice(&twice))))
        abort();
    dg_buf_clear(&once);
    dg_buf_clear(&twice);
    if (dg_upgrade_change(text, "change.yaml", &diags, &once) == DG_OK)
        (void)dg_upgrade_change(dg_buf_slice(&once), "change.yaml", &diags, &twice);
    dg_buf_clear(&once);
    (void)dg_upgrade_api(text, "api.yaml", &diags, &once);
    dg_buf_free(&once);
    dg_buf_free(&twice);
    dg_diags_free(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data,
               *at = size ? memmem(text, size, separator, strlen(separator)) : NULL;
    dg_slice first = {text, at ? (size_t)(at - text) : size};
    dg_slice second = at ? dg_slice_from((dg_slice){text, size}, first.len + strlen(separator))
                         : (dg_slice){"", 0};
    dg_arena arena;
    dg_diags diags;
    dg_arena_init(&arena, 256 << 20);
    dg_diags_init(&diags);
    dg_compiled_api api = {.pack = {.arena = &arena, .diags = &diags}};
    const dg_node *root;
    const dg_change *change = NULL;
    if (dg_doc_read(&arena, first, "api.yaml", &diags, &root) == DG_OK)
        dg_pack_read_api(&api.pack, root);
    if (dg_doc_read(&arena, second, "change.yaml", &diags, &root) == DG_OK)
        change = dg_pack_read_change(&api.pack, root);
    if (api.pack.api.version_count)
        dg_pack_join(&api.pack, &change, change != NULL);
    if (diags.errors == 0 && !arena.failed && api.pack.api.version_count) {
        dg_lines_build(&api);
        if (diags.errors == 0 && !arena.failed)
            match_some(&api);
    }
    dg_diags_free(&diags);
    dg_arena_free(&arena);
    lay_out(second);
    return 0;
}
