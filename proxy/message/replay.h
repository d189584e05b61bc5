/* Whole messages as JSON, from one version to another, without a connection: what the translate
 * command does, and what replays recorded exchanges.
 *
 * A request is {"method", "target", "headers", "body"}, an answer {"status", "headers", "body"};
 * "body" is JSON, and content that is not is "body_text" in its place. A header is an object of
 * strings, or of arrays of them. Both are what the proxy would get and send, but for the fields of
 * the connection and of dragoman itself. */
#ifndef DG_MESSAGE_REPLAY_H
#define DG_MESSAGE_REPLAY_H

#include "proxy/message/message.h"

/* Appends what the backend gets of a client's request, `json`; "null" when it is not asked, for the
 * pack has the answer. DG_SYNTAX, DG_INVALID: `json` is no request, or it is refused. DG_NOT_FOUND:
 * it is none of the pack's; DG_LIMIT, DG_NOMEM. *ret_error says why. `version`: the name of the
 * client's version, if the request is to be of that one. */
DG_MUST_USE dg_status dg_replay_request(const dg_ruleset *rules, dg_runner *runner,
                                        const char *version, dg_slice json, dg_buf *out,
                                        dg_run_error *ret_error);

/* The same for what the client gets of an answer: `json` is {"request": as the client sent it,
 * "response": as the backend answered}. Without "response", when the pack has the answer. */
DG_MUST_USE dg_status dg_replay_answer(const dg_ruleset *rules, dg_runner *runner,
                                       const char *version, dg_slice json, dg_buf *out,
                                       dg_run_error *ret_error);

#endif
