#include "transforms/scalar/time.h"

#include "base/date.h"

#define SECONDS_MIN (-62167219200) /* 0000-01-01T00:00:00Z */
#define SECONDS_MAX 253402300799   /* 9999-12-31T23:59:59Z */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* 1970 began with a Thursday */

bool dg_time_is_number(dg_time_kind kind)
{
    return kind == DG_TIME_UNIX || kind == DG_TIME_UNIX_MS;
}

/* The formats that are patterns; RFC 3339 goes on with a fraction and an offset. */
static dg_slice pattern_of(const dg_time_format *format)
{
    switch (format->kind) {
    case DG_TIME_RFC3339:
        return DG_SLICE("%Y-%m-%dT%H:%M:%S");
    case DG_TIME_HTTP:
        return DG_SLICE("%a, %d %b %Y %H:%M:%S GMT");
    case DG_TIME_DATE:
        return DG_SLICE("%Y-%m-%d");
    default:
        return format->pattern;
    }
}

static bool has(dg_slice pattern, char letter)
{
    for (size_t i = 0; i + 1 < pattern.len; i++)
        if (pattern.ptr[i] == '%' && pattern.ptr[++i] == letter)
            return true;
    return false;
}

/* ---- patterns */

/* No letter twice, nor two for one thing. */
static const char *check_letters(dg_slice pattern)
{
    static const char letters[] = "YmdeHMSfzba%", things[] = "YmddHMSfzma";
    size_t seen[128] = {0};
    for (size_t i = 0; i < pattern.len; i++) {
        unsigned char c = (unsigned char)pattern.ptr[i];
        if (c < 0x20)
            return "a control character in the pattern of a time";
        if (c != '%')
            continue;
        const char *at =
            ++i < pattern.len && pattern.ptr[i] ? strchr(letters, pattern.ptr[i]) : NULL;
        if (!at)
            return "the pattern of a time knows %Y %m %d %e %H %M %S %f %z %b %a and %%";
        if (*at == '%')
            continue;
        if (seen[(unsigned char)things[at - letters]]++)
            return "the pattern of a time says one thing twice";
        if (*at == 'f' && i + 1 < pattern.len &&
            (strchr("0123456789", pattern.ptr[i + 1]) ||
             (i + 2 < pattern.len && pattern.ptr[i + 1] == '%' &&
              strchr("YmdHMSe", pattern.ptr[i + 2]))))
            return "%f takes all digits: none may follow it";
    }
    return NULL;
}

bool dg_time_pattern_check(dg_slice pattern, const char **ret_message)
{
    const char *message = check_letters(pattern);
    bool h = has(pattern, 'H'), m = has(pattern, 'M'), s = has(pattern, 'S'), f = has(pattern, 'f');
    if (message)
        ;
    else if (pattern.len > DG_TIME_BYTES_MAX / 2)
        message = "the pattern of a time is too long";
    else if (!has(pattern, 'Y') || !(has(pattern, 'm') || has(pattern, 'b')) ||
             !(has(pattern, 'd') || has(pattern, 'e')))
        message = "a time needs its year, month and day: %Y, %m or %b, %d or %e";
    else if ((m && !h) || (s && !m) || (f && !s))
        message = "a time needs its hours with minutes, its minutes with seconds, its seconds with "
                  "a fraction";
    if (message)
        *ret_message = message;
    return !message;
}

/* ---- reading */

typedef struct civil {
    unsigned year, month, day, hour, minute, second, weekday; /* weekday: 7 = not said */
    int64_t offset;                                           /* seconds east of UTC */
    dg_slice fraction;
} civil;

static bool take_digits(dg_slice *text, size_t digits, unsigned *ret_number)
{
    unsigned n = 0;
    if (text->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        n = n * 10 + (unsigned)(text->ptr[i] - '0');
    }
    *text = dg_slice_from(*text, digits);
    *ret_number = n;
    return true;
}

/* The day of the month in two places, with a space for a 0 in front. */
static bool take_day(dg_slice *text, unsigned *ret_day)
{
    bool short_ = text->len && *text->ptr == ' ';
    if (short_)
        *text = dg_slice_from(*text, 1);
    return take_digits(text, short_ ? 1 : 2, ret_day) && (short_ || *ret_day > 9);
}

static bool take_fraction(dg_slice *text, dg_slice *ret_fraction)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        len++;
    *ret_fraction = dg_slice_until(*text, len);
    *text = dg_slice_from(*text, len);
    return len > 0;
}

static bool take_offset(dg_slice *text, int64_t *ret_offset)
{
    unsigned hours, minutes;
    if (text->len && (*text->ptr | 0x20) == 'z') {
        *text = dg_slice_from(*text, 1);
        *ret_offset = 0;
        return true;
    }
    if (!text->len || (*text->ptr != '+' && *text->ptr != '-'))
        return false;
    int64_t sign = *text->ptr == '+' ? 1 : -1;
    *text = dg_slice_from(*text, 1);
    if (!take_digits(text, 2, &hours) || !text->len || *text->ptr != ':')
        return false;
    *text = dg_slice_from(*text, 1);
    if (!take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_offset = sign * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

/* One of the words of three letters. */
static bool take_word(dg_slice *text, const char *words, unsigned *ret_index)
{
    if (text->len < 3)
        return false;
    for (unsigned i = 0; words[(size_t)i * 3]; i++)
        if (memcmp(text->ptr, words + (size_t)i * 3, 3) == 0) {
            *text = dg_slice_from(*text, 3);
            *ret_index = i;
            return true;
        }
    return false;
}

static bool take_letter(dg_slice *text, char letter, civil *c)
{
    switch (letter) {
    case 'Y':
        return take_digits(text, 4, &c->year);
    case 'm':
        return take_digits(text, 2, &c->month);
    case 'd':
        return take_digits(text, 2, &c->day);
    case 'e':
        return take_day(text, &c->day);
    case 'H':
        return take_digits(text, 2, &c->hour);
    case 'M':
        return take_digits(text, 2, &c->minute);
    case 'S':
        return take_digits(text, 2, &c->second);
    case 'f':
        return take_fraction(text, &c->fraction);
    case 'z':
        return take_offset(text, &c->offset);
    case 'a':
        return take_word(text, weekdays, &c->weekday);
    case 'b':
        if (!take_word(text, months, &c->month))
            return false;
        c->month++;
        return true;
    default: /* %% */
        if (!text->len || *text->ptr != '%')
            return false;
        *text = dg_slice_from(*text, 1);
        return true;
    }
}

static bool take_pattern(dg_slice *text, dg_slice pattern, civil *c)
{
    for (size_t i = 0; i < pattern.len; i++) {
        char p = pattern.ptr[i];
        if (p == '%' && i + 1 < pattern.len) {
            if (!take_letter(text, pattern.ptr[++i], c))
                return false;
            continue;
        }
        if (!text->len || *text->ptr != p)
            return false;
        *text = dg_slice_from(*text, 1);
    }
    return true;
}

/* RFC 3339 5.6; "t" and "z" may be written small. */
static bool take_rfc3339(dg_slice *text, civil *c)
{
    if (!take_pattern(text, DG_SLICE("%Y-%m-%d"), c) || !text->len || (*text->ptr | 0x20) != 't')
        return false;
    *text = dg_slice_from(*text, 1);
    if (!take_pattern(text, DG_SLICE("%H:%M:%S"), c))
        return false;
    if (text->len && *text->ptr == '.') {
        *text = dg_slice_from(*text, 1);
        if (!take_fraction(text, &c->fraction))
            return false;
    }
    return take_offset(text, &c->offset);
}

static dg_status civil_instant(civil *c, bool lossy, dg_instant *ret_instant)
{
    if (c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > dg_date_days_in(c->year, c->month) || c->hour > 23 || c->minute > 59 ||
        c->second > (lossy ? 60 : 59))
        return DG_INVALID;
    if (c->second == 60) {
        c->second = 59;
        c->fraction.len = 0;
    }
    int64_t days = dg_date_days(c->year, c->month, c->day);
    if (c->weekday < 7 && (unsigned)((days % 7 + 7) % 7) != c->weekday)
        return DG_INVALID;
    ret_instant->seconds =
        days * 86400 + (int64_t)(c->hour * 3600 + c->minute * 60 + c->second) - c->offset;
    ret_instant->fraction = c->fraction;
    return DG_OK;
}

/* A whole number, plainly written, of at most 15 digits. */
static bool read_whole(dg_slice text, int64_t *ret_number)
{
    bool negative = text.len && *text.ptr == '-';
    int64_t n = 0;
    text = dg_slice_from(text, negative);
    if (text.len == 0 || text.len > 15 || (*text.ptr == '0' && (negative || text.len > 1)))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
    }
    *ret_number = negative ? -n : n;
    return true;
}

static bool read_unix(dg_slice text, bool ms, dg_instant *ret_instant)
{
    int64_t n;
    if (!read_whole(text, &n))
        return false;
    if (ms) {
        int64_t rest = (n % 1000 + 1000) % 1000;
        n = (n - rest) / 1000;
        for (int i = 2; i >= 0; i--, rest /= 10)
            ret_instant->ms[i] = (char)('0' + rest % 10);
        ret_instant->fraction = dg_slice_of(ret_instant->ms, 3);
    }
    ret_instant->seconds = n;
    return true;
}

dg_status dg_time_read(const dg_time_format *format, dg_slice text, bool lossy,
                       dg_instant *ret_instant)
{
    civil c = {.weekday = 7};
    *ret_instant = (dg_instant){0};
    if (dg_time_is_number(format->kind)) {
        if (!read_unix(text, format->kind == DG_TIME_UNIX_MS, ret_instant))
            return DG_INVALID;
    } else {
        bool taken = format->kind == DG_TIME_RFC3339 ? take_rfc3339(&text, &c)
                                                     : take_pattern(&text, pattern_of(format), &c);
        if (!taken || text.len || civil_instant(&c, lossy, ret_instant) != DG_OK)
            return DG_INVALID;
    }
    bool in_range = ret_instant->seconds >= SECONDS_MIN && ret_instant->seconds <= SECONDS_MAX;
    return in_range ? DG_OK : DG_INVALID;
}

/* ---- writing */

/* The digits of the fraction up to the last that is not 0. */
static size_t fraction_digits(const dg_instant *instant)
{
    size_t digits = instant->fraction.len;
    while (digits && instant->fraction.ptr[digits - 1] == '0')
        digits--;
    return digits;
}

bool dg_time_fits(const dg_time_format *format, const dg_instant *instant)
{
    unsigned second = (unsigned)((instant->seconds % 86400 + 86400) % 86400);
    size_t digits = fraction_digits(instant);
    if (format->kind == DG_TIME_RFC3339)
        return true;
    if (dg_time_is_number(format->kind))
        return digits <= (format->kind == DG_TIME_UNIX_MS ? 3 : 0);
    dg_slice pattern = pattern_of(format);
    return (has(pattern, 'f') || !digits) && (has(pattern, 'S') || second % 60 == 0) &&
           (has(pattern, 'M') || second % 3600 == 0) && (has(pattern, 'H') || second == 0);
}

static void put(dg_buf *out, unsigned number, unsigned digits)
{
    char text[4];
    for (unsigned i = digits; i > 0; i--, number /= 10)
        text[i - 1] = (char)('0' + number % 10);
    dg_buf_add(out, dg_slice_of(text, digits));
}

static void put_letter(dg_buf *out, char letter, const civil *c)
{
    switch (letter) {
    case 'Y':
        put(out, c->year, 4);
        break;
    case 'm':
        put(out, c->month, 2);
        break;
    case 'd':
        put(out, c->day, 2);
        break;
    case 'e':
        if (c->day < 10)
            dg_buf_add_char(out, ' ');
        put(out, c->day, c->day < 10 ? 1 : 2);
        break;
    case 'H':
        put(out, c->hour, 2);
        break;
    case 'M':
        put(out, c->minute, 2);
        break;
    case 'S':
        put(out, c->second, 2);
        break;
    case 'f':
        dg_buf_add(out, c->fraction.len ? c->fraction : DG_SLICE("0"));
        break;
    case 'z':
        dg_buf_add_str(out, "+00:00");
        break;
    case 'a':
        dg_buf_add(out, dg_slice_of(weekdays + (size_t)c->weekday * 3, 3));
        break;
    case 'b':
        dg_buf_add(out, dg_slice_of(months + (size_t)(c->month - 1) * 3, 3));
        break;
    default: /* %% */
        dg_buf_add_char(out, '%');
        break;
    }
}

static civil civil_of(const dg_instant *instant)
{
    int64_t second = (instant->seconds % 86400 + 86400) % 86400;
    int64_t days = (instant->seconds - second) / 86400;
    int year;
    civil c = {.hour = (unsigned)(second / 3600),
               .minute = (unsigned)(second / 60 % 60),
               .second = (unsigned)(second % 60),
               .weekday = (unsigned)((days % 7 + 7) % 7),
               .fraction = instant->fraction};
    dg_date_civil(days, &year, &c.month, &c.day);
    c.year = (unsigned)year;
    return c;
}

static void put_unix(dg_buf *out, const dg_instant *instant, bool ms)
{
    int64_t n = instant->seconds;
    if (ms) {
        n *= 10;
        for (size_t i = 0; i < 3; i++)
            n = (n + (i < instant->fraction.len ? instant->fraction.ptr[i] - '0' : 0)) *
                (i < 2 ? 10 : 1);
    }
    if (n < 0)
        dg_buf_add_char(out, '-');
    dg_buf_add_u64(out, n < 0 ? (uint64_t)-n : (uint64_t)n);
}

void dg_time_write(const dg_time_format *format, const dg_instant *instant, dg_buf *out)
{
    if (dg_time_is_number(format->kind)) {
        put_unix(out, instant, format->kind == DG_TIME_UNIX_MS);
        return;
    }
    civil c = civil_of(instant);
    dg_slice pattern = pattern_of(format);
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '%' && i + 1 < pattern.len)
            put_letter(out, pattern.ptr[++i], &c);
        else
            dg_buf_add_char(out, pattern.ptr[i]);
    }
    if (format->kind == DG_TIME_RFC3339) {
        if (fraction_digits(instant)) {
            dg_buf_add_char(out, '.');
            dg_buf_add(out, instant->fraction);
        }
        dg_buf_add_char(out, 'Z');
    }
}
