/* The beginnings of packs and changes, as text with comments. Pure. */
#ifndef DG_RULES_SKELETON_H
#define DG_RULES_SKELETON_H

#include "base/buf.h"

/* Appends "2026-01-02-orders-speak-snake-case" for a title: letters and digits of ASCII, in lower
 * case. `now` is in seconds since 1970. */
void dg_skeleton_name(dg_slice title, int64_t now, dg_buf *out);
/* A change with its title between two versions. */
void dg_skeleton_change(dg_slice title, dg_slice older, dg_slice newer, dg_buf *out);
/* The files of a small pack that is right, and whose example holds. */
void dg_skeleton_api(dg_slice name, dg_buf *out);
void dg_skeleton_first_change(dg_buf *out);
void dg_skeleton_example(dg_buf *out);

#endif
