#include "base/date.h"

/* The year is made to start in March so that the leap day is its last. */
int64_t dg_date_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

void dg_date_civil(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *ret_day = doy - (153 * mp + 2) / 5 + 1;
    *ret_month = mp < 10 ? mp + 3 : mp - 9;
    *ret_year = (int)(yoe + era * 400) + (*ret_month <= 2);
}

static void put2(char *at, unsigned n)
{
    at[0] = (char)('0' + n / 10);
    at[1] = (char)('0' + n % 10);
}

static int64_t in_range(int64_t when)
{
    const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
    return when < 0 ? 0 : when > last ? last : when;
}

void dg_date_rfc3339(int64_t when, char ret_text[DG_RFC3339_BYTES])
{
    when = in_range(when);
    unsigned second = (unsigned)(when % 86400);
    int year;
    unsigned month, day;
    dg_date_civil(when / 86400, &year, &month, &day);
    memcpy(ret_text, "1970-01-01T00:00:00Z", DG_RFC3339_BYTES);
    put2(ret_text, (unsigned)year / 100);
    put2(ret_text + 2, (unsigned)year % 100);
    put2(ret_text + 5, month);
    put2(ret_text + 8, day);
    put2(ret_text + 11, second / 3600);
    put2(ret_text + 14, second / 60 % 60);
    put2(ret_text + 17, second % 60);
}

void dg_date_imf(int64_t when, char ret_text[DG_IMF_FIXDATE_BYTES])
{
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    when = in_range(when);
    unsigned second = (unsigned)(when % 86400);
    int year;
    unsigned month, day;
    dg_date_civil(when / 86400, &year, &month, &day);
    memcpy(ret_text, "Thu, 01 Jan 1970 00:00:00 GMT", DG_IMF_FIXDATE_BYTES);
    memcpy(ret_text, days + when / 86400 % 7 * 3, 3);
    put2(ret_text + 5, day);
    memcpy(ret_text + 8, months + (month - 1) * 3, 3);
    put2(ret_text + 12, (unsigned)year / 100);
    put2(ret_text + 14, (unsigned)year % 100);
    put2(ret_text + 17, second / 3600);
    put2(ret_text + 20, second / 60 % 60);
    put2(ret_text + 23, second % 60);
}

/* Takes `digits` digits off the front of s. */
static bool take_number(dg_slice *s, size_t digits, unsigned *ret)
{
    unsigned n = 0;
    if (s->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        n = n * 10 + (unsigned)(s->ptr[i] - '0');
    }
    *s = dg_slice_from(*s, digits);
    *ret = n;
    return true;
}

static bool take_char(dg_slice *s, char c)
{
    if (s->len == 0 || dg_ascii_lower(s->ptr[0]) != c)
        return false;
    *s = dg_slice_from(*s, 1);
    return true;
}

static bool take_offset(dg_slice *s, int64_t *ret_seconds)
{
    unsigned hours, minutes;
    *ret_seconds = 0;
    if (take_char(s, 'z'))
        return true;
    bool east = take_char(s, '+');
    if (!east && !take_char(s, '-'))
        return false;
    if (!take_number(s, 2, &hours) || !take_char(s, ':') || !take_number(s, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (int64_t)(hours * 3600 + minutes * 60) * (east ? 1 : -1);
    return true;
}

unsigned dg_date_days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

dg_status dg_date_parse(dg_slice text, bool end_of_day, int64_t *ret_when)
{
    unsigned year, month, day, hour, minute, second;
    int64_t offset;
    if (!take_number(&text, 4, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > dg_date_days_in(year, month))
        return DG_SYNTAX;
    int64_t midnight = dg_date_days(year, month, day) * 86400;
    if (text.len == 0) {
        *ret_when = midnight + (end_of_day ? 86399 : 0);
        return DG_OK;
    }
    if ((!take_char(&text, 't') && !take_char(&text, ' ')) || !take_number(&text, 2, &hour) ||
        !take_char(&text, ':') || !take_number(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_number(&text, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return DG_SYNTAX;
    if (take_char(&text, '.')) {
        unsigned digit;
        if (!take_number(&text, 1, &digit))
            return DG_SYNTAX;
        while (take_number(&text, 1, &digit))
            ;
    }
    if (!take_offset(&text, &offset) || text.len)
        return DG_SYNTAX;
    *ret_when = midnight + (int64_t)(hour * 3600 + minute * 60 + second) - offset;
    return DG_OK;
}
