/* The backend of the proxy benchmark: answers every request with the next of the messages in a file (one a
 * line), over keep-alive connections, as cheaply as it can, so that the proxy in front is what is measured.
 * Usage: bench_backend PORT FILE. Loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES_MAX = 4096, CONNECTIONS_MAX = 4096, HEAD_MAX = 8192 };

typedef struct answer {
    char *bytes;
    size_t len;
} answer;

static answer answers[MESSAGES_MAX];
static size_t answer_count, next_answer;
static char heads[CONNECTIONS_MAX][HEAD_MAX];
static size_t head_len[CONNECTIONS_MAX];

static void load(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!file) {
        perror(path);
        exit(1);
    }
    while (answer_count < MESSAGES_MAX && (n = getline(&line, &cap, file)) > 1) {
        size_t body = (size_t)n - 1;
        answer *a = &answers[answer_count];
        a->bytes = malloc(body + 512);
        int head = snprintf(a->bytes, 512,
                            "HTTP/1.1 200 OK\r\nDate: Mon, 05 Jan 2026 10:00:00 GMT\r\n"
                            "Content-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\n"
                            "Cache-Control: private, max-age=0\r\nX-Request-Id: 6f1c%08zx\r\n"
                            "Strict-Transport-Security: max-age=31536000\r\nServer: orders/2.4\r\n\r\n",
                            body, answer_count);
        memcpy(a->bytes + head, line, body);
        a->len = (size_t)head + body;
        answer_count++;
    }
    free(line);
    fclose(file);
    if (!answer_count)
        exit(1);
}

/* Answers every whole head in the connection's buffer. False when the connection is over. */
static int serve(int fd)
{
    for (;;) {
        ssize_t n = recv(fd, heads[fd] + head_len[fd], HEAD_MAX - 1 - head_len[fd], 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        head_len[fd] += (size_t)n;
        heads[fd][head_len[fd]] = '\0';
        char *end;
        while ((end = strstr(heads[fd], "\r\n\r\n"))) {
            const answer *a = &answers[next_answer++ % answer_count];
            if (send(fd, a->bytes, a->len, MSG_NOSIGNAL) != (ssize_t)a->len)
                return 0;
            size_t used = (size_t)(end + 4 - heads[fd]);
            head_len[fd] -= used;
            memmove(heads[fd], heads[fd] + used, head_len[fd] + 1);
        }
        if (head_len[fd] == HEAD_MAX - 1)
            return 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench_backend PORT FILE\n");
        return 2;
    }
    load(argv[2]);
    signal(SIGPIPE, SIG_IGN);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) {
        perror("bench_backend");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                if (!serve(fd))
                    close(fd);
                continue;
            }
            int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (client >= CONNECTIONS_MAX) {
                close(client);
            } else if (client >= 0) {
                head_len[client] = 0;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = client};
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
            }
        }
    }
}
