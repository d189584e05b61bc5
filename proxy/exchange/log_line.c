/* A line of the access log for each exchange: JSON, the combined format that other servers write too, or that one with what
 * only we know behind it. */
#include "base/date.h"
#include "proxy/exchange/exchange.h"

/* Clipped, so that no line outgrows the log's and goes unseen. */
enum { TARGET_BYTES = 4096, TEXT_BYTES = 512 };

static dg_slice clip(dg_slice text, size_t bytes)
{
    return dg_slice_until(text, bytes);
}

/* ---- JSON */

static void add_member(dg_buf *out, const char *name, dg_slice value)
{
    if (!value.len)
        return;
    dg_buf_add_str(out, ",\"");
    dg_buf_add_str(out, name);
    dg_buf_add_str(out, "\":");
    dg_buf_add_json(out, value);
}

static void add_number(dg_buf *out, const char *name, uint64_t value)
{
    dg_buf_add_str(out, ",\"");
    dg_buf_add_str(out, name);
    dg_buf_add_str(out, "\":");
    dg_buf_add_u64(out, value);
}

static void add_time(dg_buf *out, dg_edge *edge)
{
    char time[DG_RFC3339_BYTES];
    dg_date_rfc3339(dg_edge_now(edge), time);
    dg_buf_add_str(out, "{\"time\":\"");
    dg_buf_add(out, dg_slice_of(time, sizeof time));
    dg_buf_add_char(out, '"');
}

/* Which programs ran. */
static bool request_changed(const dg_exchange *x)
{
    return x->translates_request || (x->match.request && x->match.request->message);
}

static const char *program_of(const dg_exchange *x)
{
    bool request = request_changed(x);
    if (!x->answer_changed)
        return request ? "request" : "identity";
    if (x->status >= 400)
        return request ? "request,error" : "error";
    return request ? "request,response" : "response";
}

/* A client that left before it had an answer: as other servers write that. */
static unsigned status_of(const dg_exchange *x)
{
    return !x->status && x->client_ended ? 499 : x->status;
}

static bool has_backend_ip(const dg_exchange *x)
{
    return x->backend_ip.any.sa_family == AF_INET || x->backend_ip.any.sa_family == AF_INET6;
}

/* Which version was asked, which was served, and by what. */
static void add_match(dg_buf *out, const dg_exchange *x)
{
    const dg_match *match = &x->match;
    if (!match->api)
        return;
    add_member(out, "api", dg_slice_str(match->api->name));
    if (match->version)
        add_member(out, "version", dg_slice_str(match->version->name));
    if (match->selected_by != DG_BY_NONE)
        add_member(out, "selected_by", dg_slice_str(dg_selector_word(match->selected_by)));
    add_member(out, "backend_version", dg_slice_str(match->backend->name));
    if (match->endpoint)
        add_member(out, "endpoint", match->endpoint->path);
    bool translated = x->answer_changed || request_changed(x);
    dg_buf_add_str(out, translated ? ",\"translated\":true" : ",\"translated\":false");
    add_member(out, "program", dg_slice_str(program_of(x)));
}

static void add_timings(dg_buf *out, const dg_exchange *x)
{
    if (x->connected_us)
        add_number(out, "connect_us", x->connected_us - x->started_us);
    if (x->first_byte_us)
        add_number(out, "first_byte_us", x->first_byte_us - x->started_us);
    add_number(out, "duration_us", x->edge->loop.now_us - x->started_us);
}

/* Who the client is, by its certificate. */
static void add_client_cert(dg_buf *out, const dg_tls_identity *identity)
{
    if (!identity)
        return;
    dg_buf_add_str(out, ",\"client_cert\":{\"sha256\":");
    dg_buf_add_json(out, identity->parts[DG_TLS_IDENTITY_SHA256]);
    for (unsigned i = 0; i < DG_TLS_IDENTITY_SHA256; i++)
        add_member(out, dg_tls_identity_key((dg_tls_identity_part)i),
                   clip(identity->parts[i], TEXT_BYTES));
    dg_buf_add_char(out, '}');
}

static void add_json_line(dg_buf *out, dg_exchange *x)
{
    add_time(out, x->edge);
    add_member(out, "client", dg_slice_str(x->down->host));
    add_client_cert(out, x->down->identity);
    add_member(out, "method", clip(x->method_name, TEXT_BYTES));
    add_member(out, "target", clip(x->target, TARGET_BYTES));
    add_member(out, "protocol", x->minor ? DG_SLICE("HTTP/1.1") : DG_SLICE("HTTP/1.0"));
    add_member(out, "host", clip(x->host, TEXT_BYTES));
    add_number(out, "status", status_of(x));
    add_number(out, "bytes", x->body_bytes);
    add_number(out, "bytes_in", x->request_bytes_in);
    add_match(out, x);
    if (x->upstream)
        add_member(out, "upstream", dg_slice_str(x->upstream->url));
    if (has_backend_ip(x)) {
        char address[DG_ADDRESS_TEXT_BYTES];
        dg_address_text(&x->backend_ip.any, address);
        add_member(out, "upstream_address", dg_slice_str(address));
    }
    add_timings(out, x);
    add_number(out, "retries", x->retried);
    add_member(out, "problem", dg_slice_str(x->problem));
    add_member(out, "side", dg_slice_str(x->side));
    add_member(out, "request_id", dg_request_id(x));
    if (x->traced)
        add_member(out, "trace_id", dg_slice_of(x->trace_id, sizeof x->trace_id));
    add_member(out, "referer", clip(x->referer, TEXT_BYTES));
    add_member(out, "user_agent", clip(x->user_agent, TEXT_BYTES));
    dg_buf_add_str(out, "}\n");
}

/* ---- combined */

/* As nginx and Apache do: what could end the quotes or the line comes as \xHH. */
static void add_quoted(dg_buf *out, dg_slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    dg_buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
            dg_buf_add_char(out, (char)c);
            continue;
        }
        char escaped[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        dg_buf_add(out, dg_slice_of(escaped, sizeof escaped));
    }
    if (!text.len)
        dg_buf_add_char(out, '-');
    dg_buf_add_char(out, '"');
}

/* "[06/Nov/1994:08:49:37 +0000]", out of an IMF-fixdate. */
static void add_combined_time(dg_buf *out, dg_edge *edge)
{
    const char *date = dg_edge_date(edge).ptr;
    dg_buf_printf(out, " - - [%.2s/%.3s/%.4s:%.8s +0000] ", date + 5, date + 8, date + 12, date + 17);
}

static void add_combined_line(dg_buf *out, dg_exchange *x)
{
    dg_buf_add_str(out, x->down->host);
    add_combined_time(out, x->edge);
    dg_buf request;
    dg_buf_init(&request, 0);
    dg_buf_add(&request, clip(x->method_name, TEXT_BYTES));
    dg_buf_add_char(&request, ' ');
    dg_buf_add(&request, clip(x->target, TARGET_BYTES / 2));
    dg_buf_add_str(&request, x->minor ? " HTTP/1.1" : " HTTP/1.0");
    add_quoted(out, dg_buf_slice(&request));
    dg_buf_free(&request);
    dg_buf_printf(out, " %u %llu ", status_of(x), (unsigned long long)x->body_bytes);
    add_quoted(out, clip(x->referer, TEXT_BYTES));
    dg_buf_add_char(out, ' ');
    add_quoted(out, clip(x->user_agent, TEXT_BYTES));
}

/* ---- extended: key=value behind it */

static void add_word(dg_buf *out, const char *name, const char *word)
{
    dg_buf_printf(out, " %s=%s", name, word ? word : "-");
}

static void add_text(dg_buf *out, const char *name, dg_slice text)
{
    dg_buf_printf(out, " %s=", name);
    add_quoted(out, text);
}

static void add_time_since(dg_buf *out, const char *name, const dg_exchange *x, uint64_t at_us)
{
    dg_buf_printf(out, at_us ? " %s=%llu" : " %s=-", name, (unsigned long long)(at_us - x->started_us));
}

static void add_extension(dg_buf *out, const dg_exchange *x)
{
    const dg_match *match = &x->match;
    const dg_slice none = {NULL, 0};
    char address[DG_ADDRESS_TEXT_BYTES] = "-";
    if (has_backend_ip(x))
        dg_address_text(&x->backend_ip.any, address);
    add_text(out, "api", match->api ? dg_slice_str(match->api->name) : none);
    add_text(out, "version", match->version ? dg_slice_str(match->version->name) : none);
    add_text(out, "backend_version", match->api ? dg_slice_str(match->backend->name) : none);
    add_text(out, "endpoint", match->endpoint ? match->endpoint->path : none);
    add_word(out, "program", program_of(x));
    add_text(out, "upstream", x->upstream ? dg_slice_str(x->upstream->url) : none);
    add_word(out, "upstream_address", address);
    add_time_since(out, "connect_us", x, x->connected_us);
    add_time_since(out, "first_byte_us", x, x->first_byte_us);
    add_time_since(out, "duration_us", x, x->edge->loop.now_us);
    dg_buf_printf(out, " bytes_in=%llu retries=%u", (unsigned long long)x->request_bytes_in, (unsigned)x->retried);
    add_word(out, "problem", x->problem);
    add_word(out, "side", x->side);
    add_text(out, "request_id", dg_request_id(x));
    add_text(out, "trace_id", x->traced ? dg_slice_of(x->trace_id, sizeof x->trace_id) : none);
}

/* ---- the doors */

void dg_log_exchange(dg_exchange *x)
{
    dg_buf *line = &x->edge->scratch;
    dg_buf_clear(line);
    dg_log_format format = x->epoch->snapshot->config.access_log.format;
    if (format == DG_LOG_JSON) {
        add_json_line(line, x);
    } else {
        add_combined_line(line, x);
        if (format == DG_LOG_EXTENDED)
            add_extension(line, x);
        dg_buf_add_char(line, '\n');
    }
    if (line->status == DG_OK)
        (void)dg_accesslog_write(x->edge->log, dg_buf_slice(line)); /* it counts what it drops */
}

void dg_log_refusal(dg_downstream *down, unsigned status, const char *problem, dg_slice request_id)
{
    dg_edge *edge = down->edge;
    const dg_access_log *log = &edge->epoch->snapshot->config.access_log;
    dg_buf *line = &edge->scratch;
    if (!log->file || down->control)
        return;
    dg_buf_clear(line);
    if (log->format != DG_LOG_JSON) {
        dg_buf_add_str(line, down->host);
        add_combined_time(line, edge);
        dg_buf_printf(line, "\"-\" %u 0 \"-\" \"-\"", status);
        if (log->format == DG_LOG_EXTENDED) {
            add_word(line, "problem", problem);
            add_word(line, "side", "downstream");
            add_text(line, "request_id", request_id);
        }
        dg_buf_add_char(line, '\n');
    } else {
        add_time(line, edge);
        add_member(line, "client", dg_slice_str(down->host));
        add_number(line, "status", status);
        add_member(line, "problem", dg_slice_str(problem));
        add_member(line, "side", DG_SLICE("downstream"));
        add_member(line, "request_id", request_id);
        dg_buf_add_str(line, "}\n");
    }
    if (line->status == DG_OK)
        (void)dg_accesslog_write(edge->log, dg_buf_slice(line));
}
