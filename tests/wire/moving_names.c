/* A name that moves: "backend.test" has the address that stands in the file which MOVING_NAMES names, and none without that
 * file. Linked into the program under test by --wrap. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
    const char *path = getenv("MOVING_NAMES");
    char address[64] = "";
    if (!node || !path || strcmp(node, "backend.test") != 0)
        return __real_getaddrinfo(node, service, hints, res);
    FILE *file = fopen(path, "r");
    if (!file)
        return EAI_NONAME;
    char *line = fgets(address, sizeof address, file);
    fclose(file);
    if (!line)
        return EAI_NONAME;
    address[strcspn(address, "\n")] = '\0';
    return __real_getaddrinfo(address, service, hints, res);
}
