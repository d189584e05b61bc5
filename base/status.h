/* One status type for every fallible call, from one table of errors.
 *
 * Functions that can fail return dg_status and are marked DG_MUST_USE. Outputs are named ret_... and are
 * written only on DG_OK. The detail of a failure (a position, a sentence) travels in a struct of the room
 * that failed, never here. */
#ifndef DG_BASE_STATUS_H
#define DG_BASE_STATUS_H

#define DG_MUST_USE __attribute__((warn_unused_result))
#define DG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define DG_LIKELY(x) __builtin_expect(!!(x), 1)
#define DG_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define DG_API __attribute__((visibility("default")))

/*   name         sentence for people */
#define DG_STATUS_TABLE(X)                                                                         \
    X(OK, "ok")                                                                                    \
    X(AGAIN, "more input is needed")                                                               \
    X(NOMEM, "out of memory")                                                                      \
    X(LIMIT, "a limit was exceeded")                                                               \
    X(SYNTAX, "the input is malformed")                                                            \
    X(INVALID, "the input is well-formed but not acceptable here")                                 \
    X(NOT_FOUND, "not found")                                                                      \
    X(UNSUPPORTED, "not supported")                                                                \
    X(IO, "input or output failed")                                                                \
    X(CLOSED, "the peer closed the connection")                                                    \
    X(TIMEOUT, "a deadline passed")

typedef enum dg_status {
#define DG_STATUS_ENUM(name, text) DG_##name,
    DG_STATUS_TABLE(DG_STATUS_ENUM)
#undef DG_STATUS_ENUM
} dg_status;

/* The sentence of a status; static, never NULL. */
const char *dg_status_text(dg_status status);

/* An assertion on the programmer that stays in release builds. */
#define DG_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (DG_UNLIKELY(!(cond)))                                                                  \
            dg_assert_failed(#cond, __FILE__, __LINE__);                                           \
    } while (0)
_Noreturn void dg_assert_failed(const char *cond, const char *file, int line);

#endif
