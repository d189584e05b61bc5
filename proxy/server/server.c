#include "proxy/server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "proxy/admin/admin.h"
#include "proxy/log.h"
#include "proxy/server/control_folder.h"
#include "proxy/server/resolver.h"
#include "proxy/server/sockets.h"

enum { SIGNALS = 5 };

typedef struct dg_server {
    dg_config_options options; /* with what the process keeps over reloads */
    struct event_base *base;
    struct event signals[SIGNALS], done, deadline;
    dg_usage *usage;
    dg_accesslog *access_log;
    dg_admin *admin;
    dg_resolver *resolver;
    dg_control_folder control;
    dg_snapshot *snapshot; /* the newest that compiled */
    dg_worker *workers;
    size_t worker_count;
    dg_unix_files files;
    int done_fd;
    bool draining, reload_failed;
    int64_t reloaded_s; /* when the configuration in use was read */
} dg_server;

/* ---- the workers' mail */

static void drop_mails(dg_worker_mail *mails, size_t count)
{
    for (size_t w = 0; mails && w < count; w++) {
        for (size_t i = 0; i < mails[w].socket_count; i++)
            close(mails[w].sockets[i].fd);
        free(mails[w].sockets);
        dg_snapshot_unref(mails[w].snapshot);
    }
    free(mails);
}

/* A mail a worker, each with a reference to the snapshot and its own new sockets; NULL when it fails. */
static dg_worker_mail *make_mails(dg_server *server, dg_snapshot *snapshot, const dg_snapshot *old,
                                  size_t worker_count)
{
    dg_worker_mail *mails = calloc(worker_count, sizeof *mails);
    bool whole = mails != NULL;
    for (size_t w = 0; whole && w < worker_count; w++) {
        mails[w].snapshot = dg_snapshot_ref(snapshot);
        mails[w].sockets = calloc(DG_SOCKETS_MAX, sizeof(dg_socket));
        whole = mails[w].sockets != NULL;
    }
    if (whole && dg_sockets_open(snapshot, old, mails, worker_count, &server->files))
        return mails;
    drop_mails(mails, worker_count);
    return NULL;
}

/* ---- signals */

static void end_now(dg_server *server)
{
    event_base_loopbreak(server->base);
}

static void drain(dg_server *server)
{
    uint64_t ms = server->snapshot->config.timeouts.drain_ms;
    struct timeval within = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    if (server->draining) {
        end_now(server);
        return;
    }
    server->draining = true;
    dg_log(DG_LOG_INFO, "draining: no new connections, up to %llu s for what is in flight",
           (unsigned long long)((ms + 999) / 1000));
    for (size_t i = 0; i < server->worker_count; i++)
        dg_worker_tell(&server->workers[i], &(dg_worker_mail){.drain = true});
    event_add(&server->deadline, &within);
}

static void print_diags(dg_diags *diags)
{
    dg_diags_print(diags, stderr);
    dg_diags_free(diags);
}

/* A listener written as before is the one that is open: a name is not resolved to something else, nor a
 * port 0 chosen again. */
static void adopt_addresses(dg_snapshot *snapshot, const dg_snapshot *old)
{
    for (size_t i = 0; i < snapshot->config.listen_count; i++)
        for (size_t k = 0; k < old->config.listen_count; k++) {
            dg_listen *listen = &snapshot->config.listens[i];
            const dg_listen *open = &old->config.listens[k];
            if (strcmp(listen->text, open->text) != 0 || listen->control != open->control)
                continue;
            memcpy(listen->addresses, open->addresses, sizeof listen->addresses);
            listen->address_count = open->address_count;
        }
}

/* After a rotation: the file is made anew. */
static void reopen_logs(dg_server *server)
{
    const char *file = server->snapshot->config.access_log.file;
    if (file && dg_accesslog_reopen(server->access_log, file) != DG_OK)
        dg_log(DG_LOG_ERROR, "cannot open %s: %s; the old file stays in use", file, strerror(errno));
}

/* The access log of a new snapshot, where it is another file than before. */
static bool open_access_log(dg_server *server, const dg_snapshot *snapshot)
{
    const char *file = snapshot->config.access_log.file;
    const char *old = server->snapshot->config.access_log.file;
    if (!file || (old && strcmp(file, old) == 0) || dg_accesslog_reopen(server->access_log, file) == DG_OK)
        return true;
    dg_log(DG_LOG_ERROR, "cannot open %s: %s", file, strerror(errno));
    return false;
}

static void reload(dg_server *server)
{
    dg_diags diags;
    dg_snapshot *snapshot = NULL;
    dg_diags_init(&diags);
    dg_status status = dg_snapshot_load(&server->options, server->control.address, server->usage,
                                        &diags, &snapshot);
    print_diags(&diags);
    if (status == DG_OK)
        adopt_addresses(snapshot, server->snapshot);
    dg_worker_mail *mails = NULL;
    if (status == DG_OK && open_access_log(server, snapshot))
        mails = make_mails(server, snapshot, server->snapshot, server->worker_count);
    if (!mails) {
        dg_log(DG_LOG_ERROR, "reload refused: everything goes on as before");
        dg_unix_files_prune(&server->files, &server->snapshot->config);
        dg_snapshot_unref(snapshot);
        server->reload_failed = true;
        return;
    }
    if (snapshot->config.workers != server->worker_count)
        dg_log(DG_LOG_WARNING, "the number of workers changes with a restart only: still %zu",
               server->worker_count);
    for (size_t i = 0; i < server->worker_count; i++)
        dg_worker_tell(&server->workers[i], &mails[i]);
    free(mails);
    dg_snapshot_unref(server->snapshot);
    server->snapshot = snapshot;
    dg_resolver_watch(server->resolver, snapshot);
    dg_tls_tickets_set_interval(server->options.tickets, snapshot->config.timeouts.tickets_ms / 1000);
    dg_unix_files_prune(&server->files, &snapshot->config);
    server->reload_failed = false;
    server->reloaded_s = dg_wall_s();
    dg_log(DG_LOG_INFO, "reloaded");
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    dg_server *server = arg;
    if (number == SIGUSR1)
        reopen_logs(server);
    else if (number != SIGHUP)
        drain(server);
    else if (!server->draining)
        reload(server);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    dg_server *server = arg;
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return;
    for (size_t i = 0; i < server->worker_count; i++)
        if (!atomic_load(&server->workers[i].empty))
            return;
    end_now(server);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    dg_log(DG_LOG_WARNING, "the drain time is over: what is still in flight is cut");
    end_now(arg);
}

/* ---- the admin API */

static bool is_ready(void *context)
{
    const dg_server *server = context;
    return !server->draining;
}

static void give_metrics(void *context, dg_buf *out)
{
    const dg_server *server = context;
    dg_usage_metrics(server->usage, out);
    dg_buf_printf(out,
                  "# HELP dragoman_config_last_reload_successful Whether the last reload was taken.\n"
                  "# TYPE dragoman_config_last_reload_successful gauge\n"
                  "dragoman_config_last_reload_successful %d\n"
                  "# HELP dragoman_config_last_reload_success_timestamp_seconds When the configuration in use was "
                  "read.\n"
                  "# TYPE dragoman_config_last_reload_success_timestamp_seconds gauge\n"
                  "dragoman_config_last_reload_success_timestamp_seconds %lld\n",
                  !server->reload_failed, (long long)server->reloaded_s);
    dg_buf_add_str(out, "# HELP dragoman_access_log_dropped_total Lines that the access log's file did not take.\n"
                        "# TYPE dragoman_access_log_dropped_total counter\n"
                        "dragoman_access_log_dropped_total ");
    dg_buf_add_u64(out, dg_accesslog_dropped(server->access_log));
    dg_buf_add_char(out, '\n');
}

static void give_usage(void *context, dg_buf *out)
{
    dg_usage_json(((dg_server *)context)->usage, out);
}

static bool open_admin(dg_server *server)
{
    dg_admin_hooks hooks = {server, is_ready, give_metrics, give_usage};
    if (dg_admin_new(server->base, server->control.address, &hooks, &server->admin) == DG_OK)
        return true;
    dg_log(DG_LOG_ERROR, "cannot open the admin API's socket %s: %s", server->control.address,
           strerror(errno));
    return false;
}

static bool choose_control_address(dg_server *server)
{
    if (dg_control_folder_make(&server->control) == DG_OK)
        return true;
    dg_log(DG_LOG_ERROR, "cannot make a private folder %s: %s", server->control.path, strerror(errno));
    server->control.path[0] = '\0';
    return false;
}

/* ---- start and end */

static bool init_events(dg_server *server)
{
    static const int numbers[SIGNALS] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT, SIGQUIT};
    server->base = event_base_new();
    server->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!server->base || server->done_fd < 0)
        return false;
    for (size_t i = 0; i < SIGNALS; i++) {
        evsignal_assign(&server->signals[i], server->base, numbers[i], on_signal, server);
        if (evsignal_add(&server->signals[i], NULL) != 0)
            return false;
    }
    event_assign(&server->done, server->base, server->done_fd, EV_READ | EV_PERSIST, on_done, server);
    evtimer_assign(&server->deadline, server->base, on_deadline, server);
    return event_add(&server->done, NULL) == 0;
}

static bool start_workers(dg_server *server)
{
    char via[32];
    snprintf(via, sizeof via, "dragoman-%08x", (unsigned)dg_hash_seed());
    size_t count = server->snapshot->config.workers;
    dg_worker_mail *mails = make_mails(server, server->snapshot, NULL, count);
    server->workers = calloc(count, sizeof *server->workers);
    if (!mails || !server->workers) {
        dg_log(DG_LOG_ERROR, "cannot start the workers");
        drop_mails(mails, count);
        return false;
    }
    /* Signals are the control thread's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    dg_status status = DG_OK;
    for (; server->worker_count < count; server->worker_count++) {
        dg_usage_shard *shard;
        size_t i = server->worker_count;
        status = dg_usage_shard_new(server->usage, &shard);
        if (status == DG_OK)
            status = dg_worker_start(&server->workers[i], &mails[i], shard,
                                     dg_accesslog_ring_at(server->access_log, i), via, server->done_fd);
        if (status != DG_OK)
            break;
        mails[i] = (dg_worker_mail){.snapshot = NULL}; /* the worker's now */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != DG_OK)
        dg_log(DG_LOG_ERROR, "cannot start a worker: %s", dg_status_text(status));
    drop_mails(mails, count);
    return status == DG_OK;
}

static void log_start(const dg_snapshot *snapshot)
{
    const dg_config *config = &snapshot->config;
    for (size_t i = 0; i < config->listen_count; i++) {
        char text[DG_ADDRESS_TEXT_BYTES];
        const dg_listen *listen = &config->listens[i];
        dg_address_text((const struct sockaddr *)&listen->addresses[0].storage, text);
        dg_log(DG_LOG_INFO, "%s on %s://%s", listen->control ? "admin API" : "listening",
               listen->tls ? "https" : "http", text);
    }
    for (size_t i = 0; i < dg_ruleset_api_count(snapshot->ruleset); i++) {
        const dg_api *api = dg_ruleset_api(snapshot->ruleset, i);
        dg_log(DG_LOG_INFO, "api %s at %.*s: %zu versions, the backend %s speaks %s", api->name,
               DG_SLICE_FMT(api->base), api->version_count,
               config->upstreams[config->pack_upstreams[i][0]].url, api->backend->name);
        for (size_t b = 0; b < config->packs[i].backend_count; b++)
            dg_log(DG_LOG_INFO, "api %s: the backend %s speaks %s", api->name,
                   config->upstreams[config->pack_upstreams[i][b + 1]].url, config->packs[i].backends[b].version.text);
    }
}

/* So many connections as the hard limit allows. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool start_access_log(dg_server *server)
{
    const dg_config *config = &server->snapshot->config;
    const char *file = config->access_log.file;
    if (dg_accesslog_new(file, config->workers, &server->access_log) == DG_OK)
        return true;
    dg_log(DG_LOG_ERROR, "cannot open %s: %s", file ? file : "the access log", strerror(errno));
    return false;
}

static bool start_resolver(dg_server *server)
{
    sigset_t all, before; /* signals are the control thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    dg_status status = dg_resolver_new(&server->resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status == DG_OK)
        dg_resolver_watch(server->resolver, server->snapshot);
    else
        dg_log(DG_LOG_ERROR, "cannot start: %s", dg_status_text(status));
    return status == DG_OK;
}

static bool start(dg_server *server)
{
    dg_diags diags;
    dg_diags_init(&diags);
    dg_status status = dg_usage_new(&server->usage);
    if (status == DG_OK)
        status = dg_tls_tickets_new(DG_TLS_TICKETS_INTERVAL_S, &server->options.tickets);
    if (status == DG_OK && !choose_control_address(server))
        status = DG_IO;
    if (status == DG_OK)
        status = dg_snapshot_load(&server->options, server->control.address, server->usage, &diags,
                                  &server->snapshot);
    print_diags(&diags);
    if (status == DG_NOMEM)
        dg_log(DG_LOG_ERROR, "cannot start: %s", dg_status_text(status));
    if (status != DG_OK)
        return false;
    dg_tls_tickets_set_interval(server->options.tickets,
                                server->snapshot->config.timeouts.tickets_ms / 1000);
    server->reloaded_s = dg_wall_s();
    if (!init_events(server)) {
        dg_log(DG_LOG_ERROR, "cannot start: %s", strerror(errno));
        return false;
    }
    return start_access_log(server) && open_admin(server) && start_workers(server) && start_resolver(server);
}

static void server_free(dg_server *server)
{
    for (size_t i = 0; i < server->worker_count; i++)
        dg_worker_join(&server->workers[i]);
    free(server->workers);
    dg_resolver_free(server->resolver);
    dg_unix_files_prune(&server->files, NULL);
    dg_accesslog_free(server->access_log);
    dg_admin_free(server->admin);
    dg_snapshot_unref(server->snapshot);
    dg_tls_tickets_free(server->options.tickets);
    dg_usage_free(server->usage);
    if (server->base) {
        for (size_t i = 0; i < SIGNALS; i++)
            if (event_initialized(&server->signals[i]))
                event_del(&server->signals[i]);
        if (event_initialized(&server->done))
            event_del(&server->done);
        if (event_initialized(&server->deadline))
            event_del(&server->deadline);
        event_base_free(server->base);
    }
    if (server->done_fd >= 0)
        close(server->done_fd);
    dg_control_folder_remove(&server->control);
}

int dg_server_run(const dg_config_options *options, const dg_server_hooks *hooks)
{
    dg_server server = {.options = *options, .done_fd = -1};
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    bool started = start(&server);
    if (started) {
        log_start(server.snapshot);
        if (hooks)
            hooks->started(hooks->context, server.snapshot);
        event_base_dispatch(server.base);
    }
    server_free(&server);
    return started ? 0 : 1;
}

int dg_server_check(const dg_config_options *options)
{
    dg_diags diags;
    dg_snapshot *snapshot = NULL;
    dg_diags_init(&diags);
    dg_status status = dg_snapshot_load(options, NULL, NULL, &diags, &snapshot);
    print_diags(&diags);
    dg_snapshot_unref(snapshot);
    return status == DG_OK ? 0 : 1;
}
