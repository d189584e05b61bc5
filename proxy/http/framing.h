/* What the fields of a whole head mean for its message, private to this room: Host, the one
 * framing, the connection, expectations (RFC 9112 3.2, 6.3, 9.3; RFC 9110 7.6.1, 10.1.1). Each
 * returns DG_OK or refuses. */
#ifndef DG_PROXY_HTTP_FRAMING_H
#define DG_PROXY_HTTP_FRAMING_H

#include "proxy/http/lines.h"

dg_status dg_request_rules(dg_reader *r, dg_head *head);
dg_status dg_response_rules(dg_reader *r, dg_head *head, dg_method request_method,
                            bool upgrade_asked);

#endif
