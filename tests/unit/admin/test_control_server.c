#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proxy/admin/control_server.h"
#include "tests/unit/admin/raw_client.h"

typedef struct scene {
    struct event_base *base;
    dg_control_server *server;
    raw_client client;
    char dir[32], path[64], address[80];
    unsigned calls;
} scene;

/* Tells what it was asked; /STATUS answers with that status, /big with 8 MB, and so on. */
static void echo(void *context, const dg_control_request *request, dg_control_response *response)
{
    scene *s = context;
    s->calls++;
    unsigned status = (unsigned)atoi(request->path.ptr + 1);
    if (status)
        response->status = status;
    if (dg_slice_eq(request->path, DG_SLICE("/field")))
        dg_control_response_field(response, "Location", "/x/%.*s", DG_SLICE_FMT(request->body));
    if (dg_slice_eq(request->path, DG_SLICE("/fails")))
        response->body.status = DG_NOMEM;
    response->content_type = "text/plain";
    if (dg_slice_eq(request->path, DG_SLICE("/big"))) {
        for (int i = 0; i < 1 << 19; i++)
            dg_buf_add_str(&response->body, "0123456789abcde\n");
        return;
    }
    dg_buf_printf(&response->body, "%.*s|%.*s|%.*s|%.*s|", DG_SLICE_FMT(request->method),
                  DG_SLICE_FMT(request->path), DG_SLICE_FMT(request->query),
                  DG_SLICE_FMT(request->content_type));
    dg_buf_add(&response->body, request->body);
}

static int open_scene(void **state)
{
    static scene s;
    s = (scene){.dir = "/tmp/dg_control_XXXXXX", .base = event_base_new()};
    assert_non_null(s.base);
    assert_non_null(mkdtemp(s.dir));
    snprintf(s.path, sizeof s.path, "%s/control", s.dir);
    snprintf(s.address, sizeof s.address, "unix:%s", s.path);
    assert_int_equal(dg_control_server_new(s.base, s.address, echo, &s, &s.server), DG_OK);
    raw_client_unix(&s.client, s.base, s.path);
    *state = &s;
    return 0;
}

static int close_scene(void **state)
{
    scene *s = *state;
    raw_client_close(&s->client);
    dg_control_server_free(s->server);
    event_base_free(s->base);
    assert_int_equal(rmdir(s->dir), 0); /* so the socket is gone */
    return 0;
}

static void expect_body(const raw_client *c, const char *want)
{
    if (!dg_slice_eq(c->body, dg_slice_str(want)))
        fail_msg("body %.*s, not %s", DG_SLICE_FMT(c->body), want);
}

static void a_request_comes_whole(void **state)
{
    scene *s = *state;
    raw_client *c = &s->client;
    assert_int_equal(raw_client_request(c, "GET", "/a/b%2Fc", NULL, NULL), 200);
    expect_body(c, "GET|/a/b%2Fc|||");
    assert_int_equal(
        raw_client_request(c, "PATCH", "/a?x=1&y=%20z", "application/json", "{\"a\":1}"), 200);
    expect_body(c, "PATCH|/a|x=1&y=%20z|application/json|{\"a\":1}");
    assert_int_equal(raw_client_request(c, "DELETE", "/", NULL, NULL), 200);
    expect_body(c, "DELETE|/|||");
    assert_int_equal(s->calls, 3); /* on one connection */
    assert_false(c->closed);
}

static void a_form_in_the_body_is_no_query(void **state)
{
    scene *s = *state;
    const char *form = "application/x-www-form-urlencoded";
    assert_int_equal(raw_client_request(&s->client, "POST", "/a", form, "x=1"), 200);
    expect_body(&s->client, "POST|/a||application/x-www-form-urlencoded|x=1");
    assert_int_equal(raw_client_request(&s->client, "POST", "/a?y=2", form, "x=1"), 200);
    expect_body(&s->client, "POST|/a|y=2|application/x-www-form-urlencoded|x=1");
}

static void a_body_with_nul_and_split_in_pieces_arrives(void **state)
{
    scene *s = *state;
    static const char bytes[] = "POST /n HTTP/1.1\r\nContent-Length: 5\r\n\r\na\0b\0c";
    /* The target itself comes in one read: libevhtp needs that. */
    assert_int_equal(send(s->client.fd, bytes, 20, MSG_NOSIGNAL), 20);
    event_base_loop(s->base, EVLOOP_NONBLOCK);
    event_base_loop(s->base, EVLOOP_NONBLOCK);
    assert_int_equal(
        raw_client_ask(&s->client, dg_slice_of(bytes + 20, sizeof bytes - 1 - 20), false), 200);
    assert_true(dg_slice_eq(s->client.body, dg_slice_of("POST|/n|||a\0b\0c", 15)));
}

static void statuses_have_reasons_and_lengths(void **state)
{
    scene *s = *state;
    raw_client *c = &s->client;
    assert_int_equal(raw_client_request(c, "GET", "/422", NULL, NULL), 422);
    assert_true(dg_slice_starts(c->head, DG_SLICE("HTTP/1.1 422 Unprocessable Content\r\n")));
    assert_true(dg_slice_eq(raw_client_field(c, "Content-Length"), DG_SLICE("11")));
    assert_int_equal(raw_client_field(c, "Date").len, 29);
    assert_true(dg_slice_eq(raw_client_field(c, "Content-Type"), DG_SLICE("text/plain")));
    assert_int_equal(raw_client_request(c, "GET", "/204", NULL, NULL), 204);
    assert_int_equal(raw_client_field(c, "Content-Length").len, 0);
    assert_int_equal(c->body.len, 0);
    assert_int_equal(raw_client_request(c, "HEAD", "/abc", NULL, NULL), 200);
    assert_true(dg_slice_eq(raw_client_field(c, "Content-Length"), DG_SLICE("12")));
    assert_int_equal(raw_client_request(c, "GET", "/599", NULL, NULL), 599);
    assert_true(dg_slice_starts(c->head, DG_SLICE("HTTP/1.1 599 Server Error\r\n")));
}

static void connections_stay_or_close_as_asked(void **state)
{
    scene *s = *state;
    raw_client *c = &s->client, old;
    assert_int_equal(
        raw_client_ask(c, DG_SLICE("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"), false), 200);
    assert_true(dg_slice_eq(raw_client_field(c, "Connection"), DG_SLICE("close")));
    assert_int_equal(raw_client_ask(c, DG_SLICE(""), false), 0);
    assert_true(c->closed);
    raw_client_unix(&old, s->base, s->path);
    assert_int_equal(
        raw_client_ask(&old, DG_SLICE("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), false),
        200);
    assert_true(dg_slice_eq(raw_client_field(&old, "Connection"), DG_SLICE("keep-alive")));
    assert_int_equal(raw_client_ask(&old, DG_SLICE("GET /a HTTP/1.0\r\n\r\n"), false), 200);
    assert_int_equal(raw_client_ask(&old, DG_SLICE(""), false), 0);
    assert_true(old.closed);
    raw_client_close(&old);
}

static void there_is_no_100_continue(void **state)
{
    scene *s = *state;
    static const char bytes[] =
        "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi";
    assert_int_equal(raw_client_ask(&s->client, dg_slice_of(bytes, sizeof bytes - 1), false), 200);
    expect_body(&s->client, "POST|/a|||hi");
}

static void a_big_answer_arrives_whole(void **state)
{
    scene *s = *state;
    assert_int_equal(raw_client_request(&s->client, "GET", "/big", NULL, NULL), 200);
    assert_int_equal(s->client.body.len, 8 << 20);
    assert_int_equal(raw_client_request(&s->client, "GET", "/a", NULL, NULL), 200);
}

static void bodies_are_bounded(void **state)
{
    scene *s = *state;
    char *body = malloc(DG_CONTROL_BODY_MAX + 2);
    assert_non_null(body);
    memset(body, 'x', DG_CONTROL_BODY_MAX + 1);
    body[DG_CONTROL_BODY_MAX] = '\0';
    assert_int_equal(raw_client_request(&s->client, "POST", "/a", NULL, body), 200);
    assert_int_equal(s->client.body.len, DG_CONTROL_BODY_MAX + 10);
    body[DG_CONTROL_BODY_MAX] = 'x';
    body[DG_CONTROL_BODY_MAX + 1] = '\0';
    assert_int_equal(raw_client_request(&s->client, "POST", "/a", NULL, body), 0);
    assert_true(s->client.closed);
    assert_int_equal(s->calls, 1);
    free(body);
}

static void a_failed_handler_answers_500(void **state)
{
    scene *s = *state;
    assert_int_equal(raw_client_request(&s->client, "GET", "/fails", NULL, NULL), 500);
    assert_int_equal(s->client.body.len, 0);
    assert_int_equal(raw_client_request(&s->client, "POST", "/field", NULL, "y"), 200);
    assert_true(dg_slice_eq(raw_client_field(&s->client, "Location"), DG_SLICE("/x/y")));
    assert_int_equal(raw_client_request(&s->client, "POST", "/field", NULL, "y\r\nSet-Cookie: a=b"),
                     500);
    assert_int_equal(raw_client_field(&s->client, "Set-Cookie").len, 0);
    char long_value[300];
    memset(long_value, 'v', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    assert_int_equal(raw_client_request(&s->client, "POST", "/field", NULL, long_value), 500);
    assert_int_equal(raw_client_field(&s->client, "Location").len, 0);
}

static void rubbish_ends_the_connection(void **state)
{
    scene *s = *state;
    assert_int_equal(raw_client_ask(&s->client, DG_SLICE("\x16\x03\x01 rubbish\r\n\r\n"), false),
                     0);
    assert_true(s->client.closed);
    assert_int_equal(s->calls, 0);
}

static void a_client_that_goes_away_is_forgotten(void **state)
{
    scene *s = *state;
    for (int i = 0; i < 20; i++) {
        raw_client c;
        raw_client_unix(&c, s->base, s->path);
        static const char bytes[] = "GET /big HTTP/1.1\r\n\r\n";
        assert_int_equal(send(c.fd, bytes, sizeof bytes - 1 - (i % 2 ? 3 : 0), MSG_NOSIGNAL),
                         sizeof bytes - 1 - (i % 2 ? 3 : 0));
        event_base_loop(s->base, EVLOOP_NONBLOCK);
        raw_client_close(&c);
    }
    for (int i = 0; i < 20; i++)
        event_base_loop(s->base, EVLOOP_NONBLOCK);
    assert_int_equal(raw_client_request(&s->client, "GET", "/a", NULL, NULL), 200);
}

static void connections_are_bounded(void **state)
{
    scene *s = *state;
    enum { MORE = DG_CONTROL_CONNECTIONS_MAX + 4 };
    static raw_client many[MORE];
    unsigned answered = 0;
    assert_int_equal(raw_client_request(&s->client, "GET", "/a", NULL, NULL), 200);
    for (int i = 0; i < MORE; i++) {
        raw_client_unix(&many[i], s->base, s->path);
        answered += raw_client_request(&many[i], "GET", "/a", NULL, NULL) == 200;
    }
    assert_int_equal(answered, DG_CONTROL_CONNECTIONS_MAX - 1);
    for (int i = 0; i < MORE; i++)
        raw_client_close(&many[i]);
    for (int i = 0; i < 4; i++)
        event_base_loop(s->base, EVLOOP_NONBLOCK);
    raw_client_unix(&many[0], s->base, s->path);
    assert_int_equal(raw_client_request(&many[0], "GET", "/a", NULL, NULL), 200);
    raw_client_close(&many[0]);
}

/* Without file descriptors the server must wait and not spin, and accept again later. */
static void accepting_pauses_without_descriptors(void **state)
{
    scene *s = *state;
    struct rlimit old, few;
    raw_client late;
    assert_int_equal(raw_client_request(&s->client, "GET", "/a", NULL, NULL), 200);
    raw_client_unix(&late, s->base, s->path);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)late.fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(event_base_loop(s->base, EVLOOP_NONBLOCK), 0);
    uint64_t start = dg_monotonic_ms();
    assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0); /* sleeps until the pause is over */
    assert_true(dg_monotonic_ms() - start >= 100);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(raw_client_request(&late, "GET", "/late", NULL, NULL), 200);
    raw_client_close(&late);
}

static void the_socket_is_private(void **state)
{
    scene *s = *state;
    struct stat info;
    assert_int_equal(stat(s->path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(dg_control_server_port(s->server), 0);
}

static void a_socket_in_use_is_not_taken(void **state)
{
    scene *s = *state;
    dg_control_server *second = NULL;
    assert_int_equal(dg_control_server_new(s->base, s->address, echo, s, &second), DG_IO);
    assert_int_equal(errno, EADDRINUSE);
    assert_null(second);
    assert_int_equal(raw_client_request(&s->client, "GET", "/a", NULL, NULL), 200);
}

static void a_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
    scene *s = *state;
    char path[80], address[96];
    snprintf(path, sizeof path, "%s/stale", s->dir);
    snprintf(address, sizeof address, "unix:%s", path);
    struct sockaddr_un stale = {.sun_family = AF_UNIX};
    memcpy(stale.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&stale, sizeof stale), 0);
    close(fd);
    dg_control_server *server = NULL;
    assert_int_equal(dg_control_server_new(s->base, address, echo, s, &server), DG_OK);
    raw_client c;
    raw_client_unix(&c, s->base, path);
    assert_int_equal(raw_client_request(&c, "GET", "/a", NULL, NULL), 200);
    raw_client_close(&c);
    dg_control_server_free(server);
    assert_int_equal(access(path, F_OK), -1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    server = NULL;
    assert_int_equal(dg_control_server_new(s->base, address, echo, s, &server), DG_IO);
    assert_int_equal(errno, EEXIST);
    assert_null(server);
    assert_int_equal(unlink(path), 0);
}

static void a_successors_socket_is_left_alone(void **state)
{
    scene *s = *state;
    dg_control_server *next = NULL;
    assert_int_equal(unlink(s->path), 0);
    assert_int_equal(dg_control_server_new(s->base, s->address, echo, s, &next), DG_OK);
    dg_control_server_free(s->server);
    assert_int_equal(access(s->path, F_OK), 0);
    s->server = next;
}

static void tcp_takes_any_port(void **state)
{
    scene *s = *state;
    dg_control_server *server = NULL;
    raw_client c;
    assert_int_equal(dg_control_server_new(s->base, "127.0.0.1:0", echo, s, &server), DG_OK);
    assert_true(dg_control_server_port(server) > 0);
    raw_client_tcp(&c, s->base, dg_control_server_port(server));
    assert_int_equal(raw_client_request(&c, "GET", "/a?", NULL, NULL), 200);
    expect_body(&c, "GET|/a|||");
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", dg_control_server_port(server));
    dg_control_server *second = NULL;
    assert_int_equal(dg_control_server_new(s->base, address, echo, s, &second), DG_IO);
    assert_int_equal(errno, EADDRINUSE);
    dg_control_server_free(server); /* with the connection open */
    raw_client_close(&c);
    dg_control_server_free(NULL);
}

static void malformed_addresses_are_refused(void **state)
{
    scene *s = *state;
    static const char *const bad[] = {
        "",
        "unix:",
        "127.0.0.1",
        "127.0.0.1:",
        "localhost:80",
        "127.0.0.1:70000",
        ":80",
        "[::1]",
        "::1:80",
        "[::1:80",
        "[]:80",
        "127.0.0.1:8x",
        "127.0.0.1:-1",
        "unix:/tmp/"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dg_control_server *server = NULL;
        if (dg_control_server_new(s->base, bad[i], echo, s, &server) != DG_SYNTAX)
            fail_msg("%s was not refused as malformed", bad[i]);
        assert_null(server);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(a_request_comes_whole),
        TEST(a_form_in_the_body_is_no_query),
        TEST(a_body_with_nul_and_split_in_pieces_arrives),
        TEST(statuses_have_reasons_and_lengths),
        TEST(connections_stay_or_close_as_asked),
        TEST(there_is_no_100_continue),
        TEST(a_big_answer_arrives_whole),
        TEST(bodies_are_bounded),
        TEST(a_failed_handler_answers_500),
        TEST(rubbish_ends_the_connection),
        TEST(a_client_that_goes_away_is_forgotten),
        TEST(connections_are_bounded),
        TEST(accepting_pauses_without_descriptors),
        TEST(the_socket_is_private),
        TEST(a_socket_in_use_is_not_taken),
        TEST(a_stale_socket_is_replaced_and_a_file_is_not),
        TEST(a_successors_socket_is_left_alone),
        TEST(tcp_takes_any_port),
        TEST(malformed_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
