/* Wrong configurations, each with exactly what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/config/config.h"

#define LISTEN   "listen: 127.0.0.1:8080\n"
#define UPSTREAM "upstream: http://127.0.0.1:9000\n"
#define WHOLE    LISTEN UPSTREAM
#define PACK     DG_TEST_DATA "/../rules/packs/orders"

static const struct {
    const char *text, *errors;
} rows[] = {
    {"", "c.yaml: error: the file is empty\n"},
    {LISTEN, "c.yaml: error: no backend: give 'upstream' (or --upstream)\n"},
    {LISTEN "packs: [{dir: a, upstream: \"http://127.0.0.1:1\"}, b]\n",
     "a: error: is no pack: it has no api.yaml\n"
     "b: error: is no pack: it has no api.yaml\n"
     "c.yaml:2:51: error: the pack has no backend: give it an 'upstream', or the configuration a default "
     "one\n"},
    {WHOLE "access_log: {format: json}\n", "c.yaml:3:13: error: an access log needs a 'file'\n"},
    {WHOLE "access_log: {file: a, format: xml}\n",
     "c.yaml:3:31: error: the format of an access log is 'json', 'combined' or 'extended'\n"},
    {UPSTREAM, "c.yaml: error: nothing to listen on: give 'listen' (or --listen)\n"},
    {"- a\n", "c.yaml:1:1: error: expected a configuration, found a list\n"},
    {WHOLE "listen: 127.0.0.1:8081\n",
     "c.yaml:3:1: error: 'listen' comes twice in this map, first in line 1\n"},
    {LISTEN "\tupstream: x\n", "c.yaml:2:1: error: found a tab character that violates "
                               "indentation, while scanning a plain scalar\n"},
    {"lisen: 127.0.0.1:8080\n" UPSTREAM,
     "c.yaml:1:1: error: 'lisen' is not known here; did you mean 'listen'?\n"},
    {WHOLE "colour: blue\n", "c.yaml:3:1: error: 'colour' is not known here\n"},
    {"listen: 8080\n" UPSTREAM, "c.yaml:1:9: error: cannot listen on '8080': an address looks like "
                                "127.0.0.1:8080, [::1]:8080, name:8080 or :8080\n"},
    {"listen: 127.0.0.1:99999\n" UPSTREAM,
     "c.yaml:1:9: error: cannot listen on '127.0.0.1:99999': an address looks like 127.0.0.1:8080, "
     "[::1]:8080, name:8080 or :8080\n"},
    {"listen: [127.0.0.1:8080, []]\n" UPSTREAM,
     "c.yaml:1:26: error: expected an address like 127.0.0.1:8080, found a list\n"},
    {"listen: {adress: 127.0.0.1:8080}\n" UPSTREAM,
     "c.yaml:1:10: error: 'adress' is not known here; did you mean 'address'?\n"},
    {"listen: {tls: {cert: a, key: b}}\n" UPSTREAM,
     "c.yaml:1:9: error: a listener needs an 'address'\n"},
    {"listen: 127.0.0.1:1\nno_transform: never\n" UPSTREAM,
     "c.yaml:2:15: error: 'no_transform' says what happens to messages that forbid their translation: "
     "'refuse' or 'ignore'\n"},
    {"listen: {address: '127.0.0.1:1', tls: {certs: [], cert: a, key: b}}\n" UPSTREAM,
     "c.yaml:1:47: error: a certificate stands beside 'certs': write it into the list\n"},
    {"listen: {address: '127.0.0.1:1', tls: {cert: a, key: b, client_verify: never}}\n" UPSTREAM,
     "c.yaml:1:39: error: cannot read a: No such file or directory\n"
     "c.yaml:1:72: error: 'client_verify' is 'required' or 'optional'\n"
     "c.yaml:1:72: error: 'client_verify' needs a 'client_ca' to verify clients with\n"},
    {"listen: {address: '127.0.0.1:1', tls: {cert: a, key: b, client_ca: c}}\n" UPSTREAM,
     "c.yaml:1:68: error: cannot read c: No such file or directory\n"},
    {"listen: 127.0.0.1:1\nclient_fields: {cn: Via, uri: 'X Y', dns: X-A, email: x-a, ou: X-B}\n" UPSTREAM,
     "c.yaml:2:60: error: 'ou' is not known here; known are cn, uri, dns, email, sha256\n"},
    {"listen: 127.0.0.1:1\nclient_fields: {cn: Via, uri: 'X Y', dns: X-A, email: x-a}\n" UPSTREAM,
     "c.yaml:2:21: error: 'Via' has a meaning of its own: choose another name\n"
     "c.yaml:2:31: error: 'X Y' is no name of a field\n"
     "c.yaml:2:55: error: 'x-a' is there twice\n"},
    {"listen: 127.0.0.1:1\nupstream: {url: 'https://127.0.0.1', tls: {cert: a}}\n",
     "c.yaml:2:43: error: a certificate needs both 'cert' and 'key'\n"},
    {"listen: unix:dragoman.sock\n" UPSTREAM,
     "c.yaml:1:9: error: 'unix:dragoman.sock': the path of a socket to listen on begins with /\n"},
    {"listen: {address: 127.0.0.1:0, mode: '0600'}\n" UPSTREAM, "c.yaml:1:38: error: 'mode' is for unix sockets\n"},
    {"listen: {address: unix:/run/x.sock, mode: '0888'}\n" UPSTREAM,
     "c.yaml:1:43: error: '0888' is no mode: write \"0660\"\n"},
    {"listen:\n  - address: 127.0.0.1:8443\n    tls: {cert: a.crt}\n" UPSTREAM,
     "c.yaml:3:10: error: a certificate needs both 'cert' and 'key'\n"},
    {"listen:\n  - address: 127.0.0.1:8443\n    tls: {cert: a.crt, key: a.key}\n" UPSTREAM,
     "c.yaml:3:10: error: cannot read a.crt: No such file or directory\n"},
    {LISTEN "upstream: ftp://127.0.0.1\n",
     "c.yaml:2:11: error: backend 'ftp://127.0.0.1': a backend is written http://host:port, "
     "https://host:port or unix:/path\n"},
    {LISTEN "upstream: 127.0.0.1:9000\n",
     "c.yaml:2:11: error: backend '127.0.0.1:9000': a backend is written http://host:port, "
     "https://host:port or unix:/path\n"},
    {LISTEN "upstream: http://127.0.0.1:9000/api\n",
     "c.yaml:2:11: error: backend 'http://127.0.0.1:9000/api': a backend is written "
     "http://host:port or https://host:port, without a path\n"},
    {LISTEN "upstream: http://user@127.0.0.1\n",
     "c.yaml:2:11: error: backend 'http://user@127.0.0.1': a backend is written http://host:port "
     "or https://host:port, without a path\n"},
    {LISTEN "upstream: http://127.0.0.1:port\n",
     "c.yaml:2:11: error: backend 'http://127.0.0.1:port': an address looks like 127.0.0.1:8080, "
     "[::1]:8080, host:8080 or unix:/path\n"},
    {LISTEN "upstream: http://\n", "c.yaml:2:11: error: backend 'http://': a backend is written "
                                   "http://host:port or https://host:port, without a path\n"},
    {LISTEN "upstream: []\n", "c.yaml:2:11: error: expected the URL of a backend, found a list\n"},
    {LISTEN "upstream: {verify: true}\n", "c.yaml:2:11: error: a backend needs a 'url'\n"},
    {LISTEN "upstream: {url: 'http://127.0.0.1', verify: false}\n",
     "c.yaml:2:11: error: 'verify', 'ca', 'tls' and 'tls_host' need an https:// backend\n"},
    {LISTEN "upstream: {url: 'https://127.0.0.1', verify: perhaps}\n",
     "c.yaml:2:46: error: expected true or false, found a string\n"},
    {LISTEN "upstream: {url: 'https://127.0.0.1', ca: none.pem}\n",
     "c.yaml:2:42: error: cannot read none.pem: No such file or directory\n"},
    {LISTEN "upstream: {url: 'http://127.0.0.1', keep: 70000}\n",
     "c.yaml:2:43: error: expected a number of connections from 0 to 65536, found 70000\n"},
    {LISTEN "upstream: {url: 'http://127.0.0.1', keep: many}\n",
     "c.yaml:2:43: error: expected a number of connections, found a string\n"},
    {LISTEN "upstream: {url: 'http://127.0.0.1', kep: 5}\n",
     "c.yaml:2:37: error: 'kep' is not known here; did you mean 'keep'?\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    versions: v1\n",
     "c.yaml:6:5: error: expected a list of backends, found a map\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - v1\n",
     "c.yaml:6:7: error: expected a map: {versions: [v1], upstream: URL, backend_version: v1}, found a string\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - {upstream: 'http://127.0.0.1', backend_version: v1}\n",
     "c.yaml:6:7: error: what goes to this backend? It needs 'versions', 'endpoints' or both\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - {versions: v1}\n",
     "c.yaml:6:7: error: a backend needs 'backend_version', the version that it speaks\n"
     "c.yaml:6:7: error: a backend needs an 'upstream'\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - {versions: [], upstream: 'ftp://h', backend_version: [v1]}\n",
     "c.yaml:6:18: error: expected the name of a version, or a list of 1 to 256\n"
     "c.yaml:6:32: error: backend 'ftp://h': a backend is written http://host:port, https://host:port or unix:/path\n"
     "c.yaml:6:60: error: expected the name of a version, found a list\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - {version: v1}\n",
     "c.yaml:6:8: error: 'version' is not known here; did you mean 'versions'?\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - {versions: [v1, v9], upstream: 'http://127.0.0.1', backend_version: v8}\n",
     "c.yaml:6:23: error: there is no version 'v9'; did you mean 'v1'?\n"
     "c.yaml:6:75: error: there is no version 'v8'; did you mean 'v1'?\n"},
    {WHOLE "packs:\n  dir: " PACK "\n  backends:\n    - {endpoints: 'GET /orderz', upstream: 'http://127.0.0.1', backend_version: v1}\n",
     "c.yaml:6:19: error: 'GET /orderz' covers no endpoint of API 'orders', as 'v2' calls them\n"},
    {WHOLE "packs: {backend_version: v2}\n", "c.yaml:3:8: error: a pack needs a 'dir'\n"},
    {WHOLE "packs: {dir: [a]}\n",
     "c.yaml:3:14: error: expected the folder of a pack, found a list\n"},
    {WHOLE "packs: [none]\n", "none: error: is no pack: it has no api.yaml\n"},
    {WHOLE "unmatched: maybe\n", "c.yaml:3:12: error: 'unmatched' says what happens to requests "
                                 "that no pack claims: 'reject' or 'pass'\n"},
    {WHOLE "admin: [127.0.0.1:9901]\n",
     "c.yaml:3:8: error: expected an address like 127.0.0.1:9901, found a list\n"},
    {WHOLE "admin: 9901\n", "c.yaml:3:8: error: cannot listen on '9901': an address looks like "
                            "127.0.0.1:8080, [::1]:8080, name:8080 or :8080\n"},
    {WHOLE "workers: 0\n",
     "c.yaml:3:10: error: expected a number of workers from 1 to 256, found 0\n"},
    {WHOLE "workers: 257\n",
     "c.yaml:3:10: error: expected a number of workers from 1 to 256, found 257\n"},
    {WHOLE "workers: all\n", "c.yaml:3:10: error: expected a number of workers, found a string\n"},
    {WHOLE "timeouts: 5s\n", "c.yaml:3:11: error: expected a map of durations, found a string\n"},
    {WHOLE "timeouts: {idl: 5s}\n",
     "c.yaml:3:12: error: 'idl' is not known here; did you mean 'idle'?\n"},
    {WHOLE "timeouts: {head: 0s}\n", "c.yaml:3:18: error: '0s' is no duration: write 500ms, 10s, "
                                     "2m or 1h (at most 24h, more than 0)\n"},
    {WHOLE "timeouts: {head: 10 s}\n", "c.yaml:3:18: error: '10 s' is no duration: write 500ms, "
                                       "10s, 2m or 1h (at most 24h, more than 0)\n"},
    {WHOLE "timeouts: {body: 25h}\n", "c.yaml:3:18: error: '25h' is no duration: write 500ms, 10s, "
                                      "2m or 1h (at most 24h, more than 0)\n"},
    {WHOLE "timeouts: {send: -5s}\n", "c.yaml:3:18: error: '-5s' is no duration: write 500ms, 10s, "
                                      "2m or 1h (at most 24h, more than 0)\n"},
    {WHOLE "timeouts: {idle: 99999999999999999999s}\n",
     "c.yaml:3:18: error: '99999999999999999999s' is no duration: write 500ms, 10s, 2m or 1h (at "
     "most 24h, more than 0)\n"},
    {WHOLE "timeouts: {drain: }\n",
     "c.yaml:3:19: error: expected a duration like 500ms, 10s or 2m, found nothing\n"},
    {WHOLE "limits: {head: 17KB}\n", "c.yaml:3:16: error: '17KB' is no size for head: write 16KB "
                                     "or 8MB, from 1024 to 16384 bytes\n"},
    {WHOLE "limits: {body: 1023}\n", "c.yaml:3:16: error: '1023' is no size for body: write 16KB "
                                     "or 8MB, from 1024 to 1073741824 bytes\n"},
    {WHOLE "limits: {body: 2GB}\n", "c.yaml:3:16: error: '2GB' is no size for body: write 16KB or "
                                    "8MB, from 1024 to 1073741824 bytes\n"},
    {WHOLE "limits: {body: 8 MB}\n", "c.yaml:3:16: error: '8 MB' is no size for body: write 16KB "
                                     "or 8MB, from 1024 to 1073741824 bytes\n"},
    {WHOLE "limits: {connections: 0}\n",
     "c.yaml:3:23: error: expected a number of connections from 1 to 10000000, found 0\n"},
    {WHOLE "workers: 0\nlimits: {head: 1}\ntimeouts: {head: x}\n",
     "c.yaml:3:10: error: expected a number of workers from 1 to 256, found 0\n"
     "c.yaml:4:16: error: '1' is no size for head: write 16KB or 8MB, from 1024 to 16384 bytes\n"
     "c.yaml:5:18: error: 'x' is no duration: write 500ms, 10s, 2m or 1h (at most 24h, more than "
     "0)\n"},
};

static char folder[] = "/tmp/dragoman-config-XXXXXX";

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    unlink("c.yaml");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_file(const char *text)
{
    FILE *file = fopen("c.yaml", "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* What is said about the options. The caller frees it. */
static char *complaints(const dg_config_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    dg_diags diags;
    dg_snapshot *snapshot = NULL;
    assert_non_null(out);
    dg_diags_init(&diags);
    assert_int_not_equal(dg_snapshot_load(options, NULL, NULL, &diags, &snapshot), DG_OK);
    assert_null(snapshot);
    dg_diags_print(&diags, out);
    dg_diags_free(&diags);
    fclose(out);
    return text;
}

static void every_mistake_is_named_where_it_is(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(rows[i].text);
        char *said = complaints(&(dg_config_options){.file = "c.yaml"});
        if (strcmp(said, rows[i].errors) != 0) {
            print_message("---- for\n%s---- it says\n%s---- instead of\n%s", rows[i].text, said,
                          rows[i].errors);
            wrong++;
        }
        free(said);
    }
    assert_int_equal(wrong, 0);
}

static void the_command_line_is_checked_as_well(void **state)
{
    (void)state;
    const char *listens[] = {"8080"};
    char *said = complaints(&(dg_config_options){.listens = listens,
                                                 .listen_count = 1,
                                                 .upstream = "127.0.0.1:9000",
                                                 .admin = "unix:x",
                                                 .timeout = "soon"});
    assert_string_equal(said, "error: backend '127.0.0.1:9000': a backend is written "
                              "http://host:port, https://host:port or unix:/path\n"
                              "error: cannot listen on '8080': an address looks like "
                              "127.0.0.1:8080, [::1]:8080, name:8080 or :8080\n"
                              "error: 'unix:x': the path of a socket to listen on begins with /\n"
                              "error: --timeout: 'soon' is no duration: write 500ms, 10s, 2m or 1h "
                              "(at most 24h, more than 0)\n");
    free(said);
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    char *said = complaints(&(dg_config_options){.file = "none.yaml"});
    assert_string_equal(said, "none.yaml: error: cannot be opened: No such file or directory\n");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_named_where_it_is),
        cmocka_unit_test(the_command_line_is_checked_as_well),
        cmocka_unit_test(a_missing_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
