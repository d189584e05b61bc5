/* A message as one JSON document (rules/ruleset.h), the translation of that, and the message that
 * comes of it.
 *
 * What the proxy does to a message beside its framing; the translate command does the same to one
 * in a file. No I/O; the only state are the buffers of a dg_translator, which one thread uses for
 * one message at a time. */
#ifndef DG_MESSAGE_MESSAGE_H
#define DG_MESSAGE_MESSAGE_H

#include "proxy/message/header.h"
#include "rules/ruleset.h"

/* A message as it came. */
typedef struct dg_message {
    const dg_match *match;
    dg_slice query;  /* of a request, without the '?' */
    dg_slice method; /* of a request */
    bool https;      /* and where it was sent to */
    dg_slice host;
    dg_header header;
    unsigned status;  /* of an answer; 0 = this is a request */
    dg_slice request; /* of an answer: the document of its request, or empty */
    bool has_content; /* there is some, and the document holds it, should the translation ask for
                         that */
    dg_slice content; /* in the translation's `from`, without codings */
} dg_message;

typedef struct dg_translator {
    dg_buf document, outcome, text;
    /* What becomes of a message, after dg_message_translate: */
    dg_buf target; /* of a request: for the backend */
    dg_header_plan header;
    bool has_content; /* `content` takes the place of what was in the document, if anything was */
    dg_buf content;   /* in the translation's `to`; DG_JSON_PADDING bytes may be read behind it */
} dg_translator;

void dg_translator_init(dg_translator *t);
void dg_translator_free(dg_translator *t);

/* Appends the document of a message with these parts (DG_IN_...). DG_SYNTAX: some part has no
 * document. DG_LIMIT, DG_NOMEM. *ret_error says why, and which. */
DG_MUST_USE dg_status dg_message_document(const dg_message *message, unsigned parts,
                                          dg_format format, dg_translator *t, dg_buf *out,
                                          dg_run_error *ret_error);

/* Runs the translation's program on the message's document and takes the outcome apart.
 * translation->message is not NULL. DG_SYNTAX: some part has no document. DG_INVALID: an op refuses
 * it, or the outcome is no message. DG_NOT_FOUND: its path would be that of another endpoint.
 * DG_LIMIT, DG_NOMEM. *ret_error says why; the pointer in it is one into the document. */
DG_MUST_USE dg_status dg_message_translate(dg_translator *t, dg_runner *runner,
                                           const dg_translation *translation,
                                           const dg_message *message, dg_run_error *ret_error);

#endif
