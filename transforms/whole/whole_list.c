/* WHOLE ops on lists: lists and maps, and what is in a list in which order. */
#include "transforms/scalar/decimal.h"
#include "transforms/whole/whole_ops.h"

/* For ops on arrays: false if there is nothing to do, for good or bad. */
static bool takes_array(dg_tape *tape, dg_tape_node *node)
{
    if (node->kind == DG_TAPE_NULL)
        return false;
    if (node->kind != DG_TAPE_ARRAY)
        return dg_tape_refuse(tape, "expected an array");
    return dg_tape_read(tape, node);
}

/* ---- lists of objects and maps */

/* What the item becomes under its key: the member `to`, or what is left of it. */
static bool map_value(dg_tape *tape, const dg_op *op, dg_tape_node *item, dg_tape_node **ret_value)
{
    dg_tape_node *value = item;
    if (op->to.len) {
        if (!dg_tape_find(tape, item, op->to, &value))
            return false;
        if (!value)
            return dg_tape_refuse(tape, "an item without the member that is to be its value");
        if (item->first != item->last && !op->lossy)
            return dg_tape_refuse(tape, "an item with members that the map has no place for");
        value->parent = NULL;
    }
    *ret_value = value;
    return true;
}

static bool map_item(dg_tape *tape, const dg_op *op, dg_tape_node *map, dg_tape_node *item)
{
    dg_tape_node *key, *other, *value = NULL;
    dg_slice name;
    if (item->kind != DG_TAPE_OBJECT)
        return dg_tape_refuse(tape, "an item that is no object");
    if (!dg_tape_find(tape, item, op->name, &key))
        return false;
    if (!key || key->kind != DG_TAPE_STRING)
        return dg_tape_refuse(tape,
                              key ? "the key of an item is no string" : "an item without its key");
    if (!dg_tape_text(tape, key, &name) || !dg_tape_meet(tape, name, key, &other))
        return false;
    if (other)
        return dg_tape_refuse(tape, "two items have one key");
    dg_tape_remove(key);
    return map_value(tape, op, item, &value) &&
           dg_tape_add(tape, map, dg_slice_of(key->text, key->len), value);
}

static size_t length(const dg_tape_node *node)
{
    size_t count = 0;
    for (const dg_tape_node *n = node->first; n; n = n->next)
        count++;
    return count;
}

bool dg_whole_map(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *map, *next;
    if (!takes_array(tape, *root))
        return tape->status == DG_OK;
    map = dg_tape_container(tape, DG_TAPE_OBJECT);
    if (!map || !dg_tape_begin(tape, length(*root)))
        return false;
    dg_tape_change(map);
    for (dg_tape_node *item = (*root)->first; item; item = next) {
        next = item->next;
        if (!map_item(tape, op, map, item))
            return false;
    }
    *root = map;
    return true;
}

/* Puts the key in as the first member. */
static bool put_key(dg_tape *tape, const dg_op *op, dg_tape_node *item, dg_slice key)
{
    dg_tape_node *there, *node = dg_tape_value(tape, key);
    if (!node || !dg_tape_find(tape, item, op->name, &there))
        return false;
    if (there)
        return dg_tape_refuse(tape, "a value has a member of the key's name already");
    dg_tape_node *first = item->first, *last = item->last;
    item->first = item->last = NULL;
    if (!dg_tape_add_named(tape, item, op->name, node))
        return false;
    node->next = first;
    item->last = last ? last : node;
    return true;
}

static bool list_item(dg_tape *tape, const dg_op *op, dg_tape_node *list, dg_tape_node *member)
{
    dg_slice key = dg_slice_of(member->key, member->key_len);
    dg_tape_node *item = member;
    if (op->to.len) {
        item = dg_tape_container(tape, DG_TAPE_OBJECT);
        if (!item || !dg_tape_add_named(tape, item, op->to, member))
            return false;
    } else if (item->kind != DG_TAPE_OBJECT) {
        return dg_tape_refuse(tape, "a value that has no room for its key: it is no object");
    }
    if (!put_key(tape, op, item, key))
        return false;
    dg_tape_append(list, item);
    return true;
}

bool dg_whole_items(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *list, *next;
    if ((*root)->kind == DG_TAPE_NULL)
        return true;
    if ((*root)->kind != DG_TAPE_OBJECT)
        return dg_tape_refuse(tape, "expected an object");
    list = dg_tape_container(tape, DG_TAPE_ARRAY);
    if (!list || !dg_tape_distinct(tape, *root))
        return false;
    dg_tape_change(list);
    for (dg_tape_node *member = (*root)->first; member; member = next) {
        next = member->next;
        if (!list_item(tape, op, list, member))
            return false;
    }
    *root = list;
    return true;
}

/* ---- what is in a list */

bool dg_whole_filter(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    dg_tape_node *before = NULL, *next;
    if (!takes_array(tape, *root))
        return tape->status == DG_OK;
    for (dg_tape_node *item = (*root)->first; item; item = next) {
        bool holds;
        next = item->next;
        if (!dg_test_holds(tape, op->test, item, &holds))
            return false;
        if (holds)
            before = item;
        else
            dg_tape_detach(before, item);
    }
    return true;
}

bool dg_whole_first(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    (void)op;
    if (!takes_array(tape, *root))
        return tape->status == DG_OK;
    dg_tape_node *first = (*root)->first ? (*root)->first : dg_tape_value(tape, DG_SLICE("null"));
    if (!first)
        return false;
    first->parent = first->next = NULL;
    *root = first;
    return true;
}

bool dg_whole_list(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    (void)op;
    dg_tape_node *list = dg_tape_container(tape, DG_TAPE_ARRAY);
    if (!list)
        return false;
    if ((*root)->kind != DG_TAPE_NULL)
        dg_tape_append(list, *root);
    *root = list;
    return true;
}

/* ---- order */

typedef struct sort_item {
    dg_tape_node *node;
    enum { SORT_NUMBER, SORT_STRING, SORT_ABSENT } kind;
    union {
        dg_decimal number;
        dg_slice text;
    } by;
} sort_item;

static bool read_key(dg_tape *tape, dg_tape_node *node, sort_item *item)
{
    if (!node || node->kind == DG_TAPE_NULL) {
        item->kind = SORT_ABSENT;
        return true;
    }
    if (node->kind == DG_TAPE_NUMBER) {
        item->kind = SORT_NUMBER;
        dg_decimal_read(dg_slice_of(node->text, node->len), &item->by.number);
        return true;
    }
    if (node->kind != DG_TAPE_STRING)
        return dg_tape_refuse(tape, "only numbers and strings have an order");
    item->kind = SORT_STRING;
    if (!dg_tape_text(tape, node, &item->by.text))
        return false;
    return item->by.text.ptr != tape->name.ptr || dg_tape_dup(tape, item->by.text, &item->by.text);
}

/* The bytes of UTF-8 are in the order of code points. */
static int compare_texts(dg_slice a, dg_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool comes_after(const sort_item *a, const sort_item *b, bool descending)
{
    int order;
    if (a->kind == SORT_ABSENT || b->kind == SORT_ABSENT)
        return a->kind == SORT_ABSENT && b->kind != SORT_ABSENT;
    if (a->kind != b->kind)
        order = a->kind < b->kind ? -1 : 1;
    else if (a->kind == SORT_NUMBER)
        order = dg_decimal_compare(&a->by.number, &b->by.number);
    else
        order = compare_texts(a->by.text, b->by.text);
    return descending ? order < 0 : order > 0;
}

/* Merges runs of 1, 2, 4, ... items, stably; where the result is, `items` or `spare`. */
static sort_item *merge_sort(sort_item *items, sort_item *spare, size_t count, bool descending)
{
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += run * 2) {
            size_t middle = start + run < count ? start + run : count;
            size_t end = middle + run < count ? middle + run : count;
            size_t a = start, b = middle;
            for (size_t to = start; to < end; to++) {
                bool second =
                    a == middle || (b < end && comes_after(&items[a], &items[b], descending));
                spare[to] = items[second ? b++ : a++];
            }
        }
        sort_item *sorted = spare;
        spare = items;
        items = sorted;
    }
    return items;
}

/* The white space between the items stays where it is. */
static void put_in_order(dg_tape_node *list, const sort_item *items, const char *const *gaps,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dg_tape_node *node = items[i].node;
        node->next = i + 1 < count ? items[i + 1].node : NULL;
        node->key = gaps[i];
        node->in_place = false;
    }
    list->first = items[0].node;
    list->last = items[count - 1].node;
    dg_tape_change(list);
}

bool dg_whole_sort(dg_tape *tape, const dg_op *op, dg_tape_node **root)
{
    if (!takes_array(tape, *root))
        return tape->status == DG_OK;
    for (size_t i = 0; i < op->path.count; i++)
        if (!op->path.steps[i].ptr)
            return dg_tape_refuse(tape, "an order by more than one value");
    size_t count = length(*root), at = 0;
    if (count < 2)
        return true;
    sort_item *items = dg_tape_alloc(tape, count * sizeof *items);
    sort_item *spare = dg_tape_alloc(tape, count * sizeof *spare);
    if (!items || !spare)
        return false;
    for (dg_tape_node *n = (*root)->first; n; n = n->next, at++) {
        dg_tape_node *by;
        items[at].node = n;
        if (!dg_tape_at(tape, n, op->path, &by) || !read_key(tape, by, &items[at]))
            return false;
    }
    const char **gaps = dg_tape_alloc(tape, count * sizeof *gaps);
    if (!gaps)
        return false;
    for (size_t i = 0; i < count; i++)
        gaps[i] = items[i].node->in_place ? items[i].node->text : items[i].node->key;
    put_in_order(*root, merge_sort(items, spare, count, op->descending), gaps, count);
    return true;
}
