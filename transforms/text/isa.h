/* The files that touch every byte (scan.c, value.c, object.c, quick.c, skip.c, spine.c, stage.c) are
 * compiled once for any processor and, on x86-64, again for AVX2; the second time under names of their own. run.c
 * chooses when a runner is made. Included before anything that declares these names. Internal to
 * the room.
 */
#ifndef DG_TRANSFORMS_ISA_H
#define DG_TRANSFORMS_ISA_H

#ifdef DG_ISA_AVX2
#define dg_scan_number    dg_scan_number_avx2
#define dg_scan_literal   dg_scan_literal_avx2
#define dg_scan_scalar    dg_scan_scalar_avx2
#define dg_scan_value     dg_scan_value_avx2
#define dg_tokens_init    dg_tokens_init_avx2
#define dg_utf8_fault     dg_utf8_fault_avx2
#define dg_refuse         dg_refuse_avx2
#define dg_lexicon_failed dg_lexicon_failed_avx2
#define dg_room_more      dg_room_more_avx2
#define dg_run_text       dg_run_text_avx2
#define dg_run_value      dg_run_value_avx2
#define dg_run_object     dg_run_object_avx2
#define dg_run_array      dg_run_array_avx2
#define dg_copy_composite dg_copy_composite_avx2
#define dg_probe          dg_probe_avx2
#define dg_run_staged     dg_run_staged_avx2
#define dg_end_gone       dg_end_gone_avx2
#define dg_run_slow       dg_run_slow_avx2
#define dg_other_key      dg_other_key_avx2
#define dg_has_bit        dg_has_bit_avx2
#define dg_claim_bit      dg_claim_bit_avx2
#define dg_close_object   dg_close_object_avx2
#define dg_refuse_quick   dg_refuse_quick_avx2
#define dg_entry_find     dg_entry_find_avx2
#define dg_entry_open     dg_entry_open_avx2
#define dg_entry_close    dg_entry_close_avx2
#define dg_spine_run      dg_spine_run_avx2
#endif

#endif
