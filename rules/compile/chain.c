/* From the changes between two versions to one translation: which lists each step has for a
 * message, joined into programs, once for all messages that have the same. */
#include "base/hash.h"
#include "rules/compile/compiled.h"
#include "rules/reader/places.h"

enum { STATUSES_MAX = 512 };

/* The bindings of each change that cover a line, in their order. */
typedef struct covering {
    const dg_binding **at;
    size_t count;
} covering;

typedef struct tracer {
    const dg_compiled_api *api;
    dg_program_cache *cache;
    dg_diags *diags;
    const dg_line *line;
    covering *steps; /* by the index of the change */
} tracer;

/* The way of one kind of message. */
typedef struct way {
    const dg_side *sides[DG_VERSIONS_MAX]; /* of the steps that have something to say */
    size_t count;
    bool up;
    unsigned status; /* after the last step; 0 when it is not a single one */
} way;

/* ---- programs */

static uint64_t hash_of(const void *bytes, size_t count)
{
    return dg_hash(dg_slice_of(bytes, count), dg_hash_seed()) % DG_PROGRAM_BUCKETS;
}

static dg_program_entry *find_entry(dg_program_entry *entry, const dg_ops *const *steps,
                                    size_t count)
{
    for (; entry; entry = entry->next)
        if (entry->step_count == count && memcmp(entry->steps, steps, count * sizeof *steps) == 0)
            return entry;
    return NULL;
}

/* The program of these lists, from the cache or compiled into it; *ret_program NULL = it changes
 * nothing. */
static dg_status cached_program(const tracer *t, const dg_ops **steps, size_t count,
                                const dg_program **ret_program)
{
    *ret_program = NULL;
    if (count == 0)
        return DG_OK;
    dg_program_entry **bucket = &t->cache->programs[hash_of(steps, count * sizeof *steps)];
    dg_program_entry *entry = find_entry(*bucket, steps, count);
    if (!entry) {
        entry = dg_arena_zalloc(t->cache->arena, sizeof *entry);
        const dg_ops **copy = dg_arena_alloc(t->cache->arena, count * sizeof *copy);
        if (!entry || !copy)
            return DG_NOMEM;
        memcpy(copy, steps, count * sizeof *copy);
        entry->steps = copy;
        entry->step_count = count;
        dg_status status = dg_program_compile_with(copy, count, &t->api->pack.strict, t->diags,
                                                   &entry->program);
        if (status != DG_OK)
            return status;
        entry->identity = dg_program_is_identity(entry->program);
        entry->next = *bucket;
        *bucket = entry;
    }
    *ret_program = entry->identity ? NULL : entry->program;
    return DG_OK;
}

void dg_program_cache_free(dg_program_cache *cache)
{
    for (size_t i = 0; i < DG_PROGRAM_BUCKETS; i++)
        for (dg_program_entry *e = cache->programs[i]; e; e = e->next)
            dg_program_free(e->program);
}

static bool same_translation(const dg_translation *a, const dg_translation *b)
{
    return a->body == b->body && a->message == b->message && a->parts == b->parts &&
           a->from == b->from && a->to == b->to && a->status == b->status;
}

static const dg_translation *cached_translation(const tracer *t, const dg_translation *wanted)
{
    const void *programs[] = {wanted->body, wanted->message};
    dg_translation_entry **bucket = &t->cache->translations[hash_of(programs, sizeof programs)],
                         *entry = *bucket;
    while (entry && !same_translation(&entry->translation, wanted))
        entry = entry->next;
    if (entry)
        return &entry->translation;
    entry = dg_arena_alloc(t->cache->arena, sizeof *entry);
    if (!entry)
        return NULL;
    *entry = (dg_translation_entry){*bucket, *wanted};
    *bucket = entry;
    return &entry->translation;
}

/* ---- the way */

/* What a step says about a message: for the very status, else its class, else answers of its kind;
 * the first entry that covers the endpoint wins. */
static const dg_side *side_at(const covering *step, unsigned status)
{
    unsigned class = status >= 100 ? status / 100 : status;
    const unsigned ways[] = {status, class,
                             status == 0  ? DG_SIDE_REQUEST
                             : class >= 4 ? DG_SIDE_ERROR
                                          : DG_SIDE_RESPONSE};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (size_t i = 0; i < step->count; i++) {
            const dg_side *side = dg_binding_side(step->at[i], ways[w]);
            if (side)
                return side;
        }
    return NULL;
}

static unsigned map_status(const covering *step, unsigned status, bool up)
{
    for (size_t i = 0; i < step->count; i++)
        for (size_t k = 0; k < step->at[i]->status_count; k++) {
            const dg_status_pair *pair = &step->at[i]->statuses[k];
            if ((up ? pair->older : pair->newer) == status)
                return up ? pair->newer : pair->older;
        }
    return status;
}

static void trace(const tracer *t, unsigned status, size_t from, size_t to, way *ret_way)
{
    *ret_way = (way){.up = from < to};
    for (size_t at = from; at != to; at = from < to ? at + 1 : at - 1) {
        const covering *step = &t->steps[from < to ? at : at - 1];
        if (ret_way->up && status >= 100)
            status = map_status(step, status, true);
        const dg_side *side = side_at(step, status);
        if (side)
            ret_way->sides[ret_way->count++] = side;
        if (!ret_way->up && status >= 100)
            status = map_status(step, status, false);
    }
    ret_way->status = status >= 100 ? status : 0;
}

/* The format on both ends. What two neighbouring steps say of the version between them must agree.
 */
static void join_formats(const tracer *t, const way *w, dg_translation *result)
{
    const dg_side *last = NULL;
    for (size_t i = 0; i < w->count; i++) {
        const dg_side *side = w->sides[i];
        if (!side->has_format)
            continue;
        dg_format near = w->up ? side->older : side->newer, far = w->up ? side->newer : side->older;
        if (!last)
            result->from = near;
        else if (near != result->to)
            dg_diags_add(t->diags, DG_ERROR, side->origin,
                         "the content has another format here than %s:%u says for the same version",
                         last->origin.file, last->origin.line);
        result->to = far;
        last = side;
    }
}

typedef struct needs {
    unsigned parts, all;
} needs;

static void need_part(void *context, const dg_place *place)
{
    static const struct {
        const char *word;
        unsigned part;
    } parts[] = {{"method", DG_IN_METHOD},   {"path", DG_IN_PATH},     {"query", DG_IN_QUERY},
                 {"headers", DG_IN_HEADERS}, {"status", DG_IN_STATUS}, {"body", DG_IN_BODY},
                 {"request", DG_IN_REQUEST}, {"origin", DG_IN_ORIGIN}};
    needs *n = context;
    if (place->count == 0 || !place->steps[0].ptr)
        n->parts |= n->all;
    for (size_t i = 0; place->count && i < sizeof parts / sizeof *parts; i++)
        if (dg_slice_eq(place->steps[0], dg_slice_str(parts[i].word)))
            n->parts |= parts[i].part;
}

static const dg_ops *list_of(const way *w, const dg_two_ways *lists)
{
    const dg_ops *ops = w->up ? lists->up : lists->down;
    return ops && ops->count ? ops : NULL;
}

/* With ops on the whole message somewhere on the way, all is one program on the document, and the
 * body is in it; otherwise the body has a program of its own, beside that of the other parts. */
static dg_status join_programs(const tracer *t, const way *w, bool request, dg_translation *result)
{
    const dg_ops *bodies[DG_VERSIONS_MAX], *messages[DG_VERSIONS_MAX];
    size_t body_count = 0, message_count = 0;
    bool whole = false;
    needs n = {.all = request ? DG_IN_METHOD | DG_IN_ORIGIN | DG_IN_PATH | DG_IN_QUERY |
                                    DG_IN_HEADERS | DG_IN_BODY
                              : DG_IN_STATUS | DG_IN_HEADERS | DG_IN_BODY | DG_IN_REQUEST};
    for (size_t i = 0; i < w->count; i++)
        whole |= w->sides[i]->message != NULL;
    for (size_t i = 0; i < w->count; i++) {
        const dg_side *side = w->sides[i];
        const dg_two_ways *lists = whole ? &side->whole : &side->around;
        const dg_ops *message = list_of(w, lists), *body = whole ? NULL : list_of(w, &side->body);
        if (message) {
            messages[message_count++] = message;
            dg_ops_places(lists->up, need_part, &n);
            dg_ops_places(message, need_part, &n);
        }
        if (body)
            bodies[body_count++] = body;
    }
    dg_status status = cached_program(t, bodies, body_count, &result->body);
    if (status == DG_OK)
        status = cached_program(t, messages, message_count, &result->message);
    if (result->message)
        result->parts = n.parts;
    if (result->message && whole && result->from != result->to)
        result->parts |= DG_IN_BODY;
    return status;
}

static dg_status translation_of(const tracer *t, unsigned status, size_t from, size_t to,
                                const dg_translation **ret_translation)
{
    way w;
    dg_translation result = {.body = NULL};
    trace(t, status, from, to, &w);
    join_formats(t, &w, &result);
    dg_status joined = join_programs(t, &w, status == 0, &result);
    result.status = w.status != status ? w.status : 0;
    if (joined != DG_OK)
        return joined;
    *ret_translation = NULL;
    if (!result.body && !result.message && result.from == result.to && !result.status)
        return DG_OK;
    *ret_translation = cached_translation(t, &result);
    return *ret_translation ? DG_OK : DG_NOMEM;
}

/* ---- answers */

/* The statuses that some step between two versions singles out. */
static size_t single_statuses(const tracer *t, size_t from, size_t to,
                              unsigned statuses[STATUSES_MAX])
{
    bool seen[600] = {false};
    size_t count = 0, low = from < to ? from : to, high = from < to ? to : from;
    for (size_t j = low; j < high; j++)
        for (size_t i = 0; i < t->steps[j].count; i++) {
            const dg_binding *b = t->steps[j].at[i];
            for (size_t k = 0; k < b->side_count; k++)
                if (b->sides[k].of >= 100)
                    seen[b->sides[k].of] = true;
            for (size_t k = 0; k < b->status_count; k++)
                seen[b->statuses[k].older] = seen[b->statuses[k].newer] = true;
        }
    for (unsigned status = 100; status < 600; status++)
        if (seen[status])
            statuses[count++] = status;
    return count;
}

static void note_answer(dg_answers *answers, const dg_translation *translation)
{
    if (!translation)
        return;
    answers->change |= translation->body || (translation->parts & DG_IN_BODY) ||
                       translation->from != translation->to || translation->status == 204 ||
                       translation->status == 304;
    answers->ask |= (translation->parts & DG_IN_REQUEST) != 0;
}

static bool same_answers(const dg_answers *a, const dg_answers *b)
{
    if (a->exact_count != b->exact_count || memcmp(a->classes, b->classes, sizeof a->classes) != 0)
        return false;
    for (size_t i = 0; i < a->exact_count; i++)
        if (a->exact[i].status != b->exact[i].status ||
            a->exact[i].translation != b->exact[i].translation)
            return false;
    return true;
}

static const dg_answers *cached_answers(const tracer *t, const dg_answers *wanted)
{
    dg_answers_entry **bucket =
                         &t->cache->answers[hash_of(wanted->classes, sizeof wanted->classes)],
                     *entry = *bucket;
    while (entry && !same_answers(&entry->answers, wanted))
        entry = entry->next;
    if (entry)
        return &entry->answers;
    entry = dg_arena_alloc(t->cache->arena, sizeof *entry);
    dg_exact *exact = dg_arena_alloc(t->cache->arena, (wanted->exact_count + 1) * sizeof *exact);
    if (!entry || !exact)
        return NULL;
    if (wanted->exact_count)
        memcpy(exact, wanted->exact, wanted->exact_count * sizeof *exact);
    *entry = (dg_answers_entry){*bucket, *wanted};
    entry->answers.exact = exact;
    *bucket = entry;
    return &entry->answers;
}

static dg_status answers_of(const tracer *t, size_t from, size_t to, const dg_answers **ret_answers)
{
    dg_exact exact[STATUSES_MAX];
    unsigned statuses[STATUSES_MAX];
    dg_answers answers = {.exact = exact};
    bool any = false;
    for (unsigned class = 1; class <= DG_CLASSES; class ++) {
        dg_status status = translation_of(t, class, from, to, &answers.classes[class - 1]);
        if (status != DG_OK)
            return status;
        any |= answers.classes[class - 1] != NULL;
        note_answer(&answers, answers.classes[class - 1]);
    }
    size_t count = single_statuses(t, from, to, statuses);
    for (size_t i = 0; i < count; i++) {
        const dg_translation *one;
        dg_status status = translation_of(t, statuses[i], from, to, &one);
        if (status != DG_OK)
            return status;
        if (one == answers.classes[statuses[i] / 100 - 1])
            continue;
        exact[answers.exact_count++] = (dg_exact){statuses[i], one};
        any = true;
        note_answer(&answers, one);
    }
    *ret_answers = NULL;
    if (!any)
        return DG_OK;
    *ret_answers = cached_answers(t, &answers);
    return *ret_answers ? DG_OK : DG_NOMEM;
}

/* ---- what no step can see by itself */

/* A place of the client's request that an answer's ops read. */
typedef struct reading {
    const tracer *t;
    size_t step; /* that reads */
    const dg_place *read;
    const dg_op *op; /* that reads */
    bool found;
} reading;

static bool meets(const dg_place *request, const dg_place *change)
{
    for (size_t i = 1; i < request->count && i - 1 < change->count; i++)
        if (request->steps[i].ptr && change->steps[i - 1].ptr &&
            !dg_slice_eq(request->steps[i], change->steps[i - 1]))
            return false;
    return true;
}

static void check_altered(void *context, const dg_place *place)
{
    reading *r = context;
    if (r->found || !(place->writes || place->makes) || !meets(r->read, place))
        return;
    r->found = true;
    dg_diags_add(r->t->diags, DG_ERROR, r->op->origin,
                 "this reads the request as the client sent it, but %s:%u changes that part of it "
                 "in another step, so "
                 "that clients of different versions send different things",
                 place->op->origin.file, place->op->origin.line);
}

static void check_read(void *context, const dg_place *place)
{
    reading *r = context;
    size_t low = r->step, high = r->step + 1;
    if (place->count == 0 || !place->steps[0].ptr || !dg_slice_eq(place->steps[0], DG_SLICE("request")))
        return;
    r->read = place;
    r->op = place->op;
    r->found = false;
    /* The steps between a client and this one: older ones on the way down, newer ones on the way up. */
    for (size_t v = 0; v < r->t->api->pack.api.version_count; v++) {
        size_t backend = r->t->line->routes[v].backend->version->index;
        if (v <= r->step && r->step < backend && v < low)
            low = v;
        if (backend <= r->step && r->step < v && v > high)
            high = v;
    }
    for (size_t i = low; i < high; i++) {
        const dg_side *side = i == r->step ? NULL : side_at(&r->t->steps[i], 0);
        if (side && side->whole.up)
            dg_ops_places(side->whole.up, check_altered, r);
    }
}

static void check_reads(const tracer *t)
{
    for (size_t j = 0; j + 1 < t->api->pack.api.version_count; j++)
        for (size_t i = 0; i < t->steps[j].count; i++) {
            const dg_binding *b = t->steps[j].at[i];
            for (size_t k = 0; k < b->side_count; k++)
                if (b->sides[k].of != DG_SIDE_REQUEST && b->sides[k].message)
                    dg_ops_places(b->sides[k].message, check_read, &(reading){.t = t, .step = j});
        }
}

static bool same_names(const dg_template *a, const dg_template *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->segments[i].kind == DG_SEGMENT_NAME &&
            !dg_slice_eq(a->segments[i].text, b->segments[i].text))
            return false;
    return true;
}

static void find_path(void *context, const dg_place *place)
{
    bool *found = context;
    *found |= place->count && place->steps[0].ptr && dg_slice_eq(place->steps[0], DG_SLICE("path"));
}

/* The parameters of a path go by their names, which must be one name in a version. */
static void check_names(const tracer *t)
{
    for (size_t j = 0; j + 1 < t->api->pack.api.version_count; j++) {
        const dg_route *route = &t->line->routes[j];
        for (size_t i = 0; !route->absent && i < t->steps[j].count; i++) {
            const dg_binding *b = t->steps[j].at[i];
            const dg_side *side = dg_binding_side(b, DG_SIDE_REQUEST);
            bool path = false;
            if (!side || !side->whole.up || !dg_template_same_path(&b->older, &route->name) ||
                same_names(&b->older, &route->name))
                continue;
            dg_ops_places(side->whole.up, find_path, &path);
            if (path)
                dg_diags_add(t->diags, DG_ERROR, b->origin,
                             "the ops below work on the parameters of '%.*s', which is '%.*s' "
                             "elsewhere in this pack: "
                             "give them the same names",
                             DG_SLICE_FMT(b->older.path), DG_SLICE_FMT(route->name.path));
        }
    }
}

/* ---- all of it */

static bool cover(tracer *t, dg_arena *arena)
{
    size_t changes = t->api->pack.api.version_count - 1;
    t->steps = dg_arena_zalloc(arena, (changes + 1) * sizeof *t->steps);
    for (size_t j = 0; t->steps && j < changes; j++) {
        const dg_change *change = t->api->pack.chain[j];
        covering *step = &t->steps[j];
        if (t->line->routes[j].absent || t->line->routes[j + 1].absent)
            continue;
        step->at = dg_arena_alloc(arena, (change->binding_count + 1) * sizeof *step->at);
        for (size_t i = 0; step->at && i < change->binding_count; i++)
            if ((change->bindings[i].side_count || change->bindings[i].status_count) &&
                dg_template_covers(&change->bindings[i].older, &t->line->routes[j].name))
                step->at[step->count++] = &change->bindings[i];
    }
    return !arena->failed;
}

static dg_status build_route(const tracer *t, size_t v)
{
    dg_route *route = &t->line->routes[v];
    size_t backend = route->backend->version->index, at = v;
    while (at != backend && !t->line->routes[at < backend ? at + 1 : at - 1].absent)
        at = at < backend ? at + 1 : at - 1;
    route->upstream = &t->line->routes[at];
    dg_status status = answers_of(t, at, v, &route->answers);
    if (status == DG_OK && at == backend)
        status = translation_of(t, 0, v, backend, &route->request);
    return status;
}

static dg_status build_line(tracer *t, dg_arena *scratch)
{
    if (!cover(t, scratch))
        return DG_NOMEM;
    check_names(t);
    check_reads(t);
    for (size_t v = 0; v < t->api->pack.api.version_count; v++) {
        if (t->line->routes[v].absent)
            continue;
        dg_status status = build_route(t, v);
        if (status == DG_NOMEM)
            return status;
        if (status != DG_OK && t->diags->errors == 0)
            dg_diags_add(t->diags, DG_ERROR, t->line->origin,
                         "this endpoint cannot be compiled: %s", dg_status_text(status));
    }
    return DG_OK;
}

/* How own errors look to the clients of each version: what it says, or else what the API says. */
static dg_status build_errors(dg_compiled_api *api, dg_program_cache *cache)
{
    const dg_error_shape *general = NULL;
    for (size_t v = api->pack.api.version_count + 1; v-- > 0;) {
        const dg_errors *said = &api->pack.errors[v];
        const dg_error_shape *shape = general;
        if (said->ops) {
            const tracer t = {.api = api, .cache = cache, .diags = api->pack.diags};
            dg_error_shape *made = dg_arena_zalloc(api->pack.arena, sizeof *made);
            const dg_ops *list = said->ops;
            if (!made)
                return DG_NOMEM;
            made->format = said->format;
            if (cached_program(&t, &list, 1, &made->program) == DG_NOMEM)
                return DG_NOMEM;
            shape = made;
        }
        if (v == api->pack.api.version_count)
            api->pack.api.errors = general = shape;
        else
            api->pack.versions[v].errors = shape;
    }
    return DG_OK;
}

dg_status dg_chains_build(dg_compiled_api *api, dg_program_cache *cache)
{
    dg_arena scratch;
    dg_arena_init(&scratch, 0);
    dg_status status = DG_OK;
    for (size_t i = 0; i < api->line_count && status == DG_OK; i++) {
        dg_diags found;
        dg_diags_init(&found);
        tracer t = {.api = api, .cache = cache, .diags = &found, .line = &api->lines[i]};
        status = build_line(&t, &scratch);
        dg_pack_take_diags(&found, api->pack.diags);
        dg_diags_free(&found);
        dg_arena_reset(&scratch);
    }
    dg_arena_free(&scratch);
    return status == DG_OK ? build_errors(api, cache) : status;
}

dg_status dg_chain_translation(const dg_compiled_api *api, dg_program_cache *cache,
                               const dg_line *line, unsigned status, size_t from, size_t to,
                               dg_diags *diags, const dg_translation **ret_translation)
{
    dg_arena scratch;
    dg_arena_init(&scratch, 0);
    tracer t = {.api = api, .cache = cache, .diags = diags, .line = line};
    dg_status result =
        cover(&t, &scratch) ? translation_of(&t, status, from, to, ret_translation) : DG_NOMEM;
    dg_arena_free(&scratch);
    return result;
}

dg_status dg_chain_sides(const dg_compiled_api *api, const dg_line *line, unsigned status, size_t from, size_t to,
                         const dg_side *ret_sides[DG_VERSIONS_MAX], size_t *ret_count)
{
    dg_arena scratch;
    dg_arena_init(&scratch, 0);
    tracer t = {.api = api, .line = line};
    bool covered = cover(&t, &scratch);
    way w;
    if (covered) {
        trace(&t, status, from, to, &w);
        memcpy(ret_sides, w.sides, w.count * sizeof *ret_sides);
        *ret_count = w.count;
    }
    dg_arena_free(&scratch);
    return covered ? DG_OK : DG_NOMEM;
}
