/* The v3 session as C programs sent it: xmlrpc-c's client library over curl.
 *
 *     cc -o xmlrpc-c xmlrpc-c.c -lxmlrpc_client -lxmlrpc -lxmlrpc_util
 *     ./xmlrpc-c URL KEY PREFIX
 *
 * Library habits the gateway meets here:
 *   - CRLF line ends in the body, <i4> for an int, a trailing CRLF;
 *   - UTF-8 bytes and encoding="UTF-8" in the declaration, "text/xml" in the head;
 *   - types are taken strictly: reading an <i8> as an int or a <nil/> as a
 *     string is an error;
 *   - a fault and a failure of HTTP both land in xmlrpc_env; only the code
 *     tells them apart (the library's own codes are negative), and the text of
 *     a fault gets "RPC failed at server.  " in front.
 */
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xmlrpc-c/base.h>
#include <xmlrpc-c/client.h>

static const char ADDRESS[] = "12 rue de l'\xc3\x89t\xc3\xa9 & fils <A>";

static const char *url, *key, *prefix;
static xmlrpc_env env;

static void fail(const char *format, ...)
{
    va_list args;

    fputs("FAIL ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    exit(1);
}

static void ok(const char *format, ...)
{
    va_list args;

    fputs("ok ", stdout);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* The answer could not be taken apart as the caller meant it. */
static void understood(const char *what)
{
    if (env.fault_occurred)
        fail("%s: expected an answer, saw %d %s", what, env.fault_code, env.fault_string);
}

static void expect(const char *what, const char *expected, const char *seen)
{
    if (strcmp(expected, seen) != 0)
        fail("%s: expected '%s', saw '%s'", what, expected, seen);
}

static xmlrpc_value *call(const char *method, const char *format, ...)
{
    xmlrpc_value *params, *answer;
    const char *rest;
    va_list args;

    va_start(args, format);
    xmlrpc_build_value_va(&env, format, args, &params, &rest);
    va_end(args);
    understood(method);
    answer = xmlrpc_client_call_params(&env, url, method, params);
    understood(method);
    xmlrpc_DECREF(params);
    return answer;
}

/* The member of a struct; it must be there. The reference is never given back:
 * the program is short. */
static xmlrpc_value *member(const char *what, xmlrpc_value *of, const char *name)
{
    xmlrpc_value *value = NULL;

    xmlrpc_struct_find_value(&env, of, name, &value);
    understood(what);
    if (value == NULL)
        fail("%s: expected a member %s, saw none", what, name);
    return value;
}

static const char *text(const char *what, xmlrpc_value *of, const char *name)
{
    const char *value;

    xmlrpc_read_string(&env, member(what, of, name), &value);
    understood(what);
    return value;
}

static int number(const char *what, xmlrpc_value *of, const char *name)
{
    int value;

    xmlrpc_read_int(&env, member(what, of, name), &value);
    understood(what);
    return value;
}

static void rest_a_while(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

static const char *contact(const char *address)
{
    xmlrpc_value *answer;
    const char *handle;
    regex_t form;

    answer = call("contact.create",
                  "(s{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s})", key,
                  "given", "First Name",
                  "family", "Last Name",
                  "email", "example@example.com",
                  "streetaddr", address,
                  "zip", "75011",
                  "city", "Paris",
                  "country", "FR",
                  "phone", "+33.123456789",
                  "type", 0,
                  "password", "xxxxxxxx");
    handle = text("contact.create", answer, "handle");
    if (regcomp(&form, "^[A-Z]+[0-9]+-GANDI$", REG_EXTENDED | REG_NOSUB) != 0)
        fail("regcomp");
    if (regexec(&form, handle, 0, NULL, 0) != 0)
        fail("contact.create: expected a handle like FLN123-GANDI, saw '%s'", handle);
    return handle;
}

static void finish(const char *what, xmlrpc_value *op, char *seen, size_t size)
{
    static const char steps[] = " BILL WAIT RUN DONE ";
    int id = number(what, op, "id");
    const char *step = "";
    char word[32];
    int i;

    snprintf(seen, size, " ");
    for (i = 0; i < 60; i++) {
        step = text(what, call("operation.info", "(si)", key, id), "step");
        snprintf(word, sizeof word, " %s ", step);
        if (strstr(steps, word) == NULL)
            fail("%s: expected a step of%s, saw '%s'", what, steps, step);
        if (strstr(seen, word) == NULL)
            strncat(seen, word + 1, size - strlen(seen) - 1);
        if (strcmp(step, "DONE") == 0)
            return;
        rest_a_while(500);
    }
    fail("%s: expected step DONE within 30 s, saw%s", what, seen);
}

static const char *handle_in(const char *what, xmlrpc_value *domain, const char *role)
{
    return text(what, member(what, member(what, domain, "contacts"), role), "handle");
}

static void fault(const char *what, int code, const char *part,
                  const char *method, const char *with_key, const char *name)
{
    xmlrpc_env own;
    xmlrpc_value *params;

    params = name ? xmlrpc_build_value(&env, "(ss)", with_key, name)
                  : xmlrpc_build_value(&env, "(s)", with_key);
    understood(what);
    xmlrpc_env_init(&own);
    xmlrpc_client_call_params(&own, url, method, params);
    if (!own.fault_occurred)
        fail("%s: expected a fault, saw an answer", what);
    if (own.fault_code != code)
        fail("%s: expected fault %d, saw %d %s", what, code, own.fault_code, own.fault_string);
    if (strstr(own.fault_string, part) == NULL)
        fail("%s: expected '%s' in the text, saw '%s'", what, part, own.fault_string);
    xmlrpc_env_clean(&own);
    xmlrpc_DECREF(params);
    ok("fault %d", code);
}

int main(int argc, char **argv)
{
    static const char *const roles[] = { "admin", "tech", "bill" };
    char name[256], foreign[256], seen[64];
    const char *handle, *handle2, *status = "";
    xmlrpc_value *answer, *op, *reseller, *end;
    time_t ends;
    int i, count;

    if (argc != 4)
        fail("usage: xmlrpc-c URL KEY PREFIX");
    url = argv[1];
    key = argv[2];
    prefix = argv[3];
    snprintf(name, sizeof name, "%s-mydomain.net", prefix);
    snprintf(foreign, sizeof foreign, "%s-notmydomain.net", prefix);

    xmlrpc_env_init(&env);
    xmlrpc_client_init2(&env, XMLRPC_CLIENT_NO_FLAGS, "reseller", "1.0", NULL, 0);
    understood("xmlrpc_client_init2");

    /* 1 */
    answer = call("version.info", "(s)", key);
    expect("version.info", "3.3.42", text("version.info", answer, "api_version"));
    ok("version.info 3.3.42");

    /* 2 */
    handle = contact(ADDRESS);
    ok("contact.create %s", handle);

    /* 3 */
    answer = call("contact.info", "(ss)", key, handle);
    expect("contact.info given", "First Name", text("contact.info", answer, "given"));
    expect("contact.info streetaddr", ADDRESS, text("contact.info", answer, "streetaddr"));
    expect("contact.info zip", "75011", text("contact.info", answer, "zip"));
    expect("contact.info phone", "+33.123456789", text("contact.info", answer, "phone"));
    ok("contact.info round trip");

    /* 4 */
    for (i = 0; i < 30; i++) {
        answer = call("domain.available", "(s(s))", key, name);
        status = text("domain.available", answer, name);
        if (strcmp(status, "pending") != 0)
            break;
        rest_a_while(700);
    }
    expect("domain.available", "available", status);
    ok("domain.available %s", name);

    /* 5 */
    op = call("domain.create", "(ss{s:s,s:s,s:s,s:s,s:(sss),s:i})", key, name,
              "owner", handle, "admin", handle, "bill", handle, "tech", handle,
              "nameservers", "a.dns.gandi-ote.net", "b.dns.gandi-ote.net", "c.dns.gandi-ote.net",
              "duration", 1);
    expect("domain.create type", "domain_create", text("domain.create", op, "type"));
    expect("domain.create step", "BILL", text("domain.create", op, "step"));
    ok("domain.create operation %d", number("domain.create", op, "id"));

    /* 6 */
    finish("operation.info", op, seen, sizeof seen);
    ok("operation.info%.*s", (int)strlen(seen) - 1, seen);

    /* 7 */
    answer = call("domain.info", "(ss)", key, name);
    expect("domain.info fqdn", name, text("domain.info", answer, "fqdn"));
    expect("domain.info contacts.owner", handle, handle_in("domain.info", answer, "owner"));
    reseller = member("domain.info", member("domain.info", answer, "contacts"), "reseller");
    if (xmlrpc_value_type(reseller) != XMLRPC_TYPE_NIL)
        fail("domain.info contacts.reseller: expected nil, saw type %d", xmlrpc_value_type(reseller));
    end = member("domain.info", answer, "date_registry_end");
    if (xmlrpc_value_type(end) != XMLRPC_TYPE_DATETIME)
        fail("domain.info date_registry_end: expected a date, saw type %d", xmlrpc_value_type(end));
    xmlrpc_read_datetime_sec(&env, end, &ends);
    understood("domain.info date_registry_end");
    if (ends <= time(NULL))
        fail("domain.info date_registry_end: expected a date to come, saw %ld", (long)ends);
    ok("domain.info ends %ld", (long)ends);

    /* 8 */
    handle2 = contact("My Street Address");
    op = call("domain.contacts.set", "(ss{s:s,s:s,s:s})", key, name,
              "admin", handle2, "tech", handle2, "bill", handle2);
    finish("domain.contacts.set", op, seen, sizeof seen);
    answer = call("domain.info", "(ss)", key, name);
    for (i = 0; i < 3; i++)
        expect("contact after domain.contacts.set", handle2, handle_in("domain.info", answer, roles[i]));
    expect("owner after domain.contacts.set", handle, handle_in("domain.info", answer, "owner"));
    ok("domain.contacts.set %s", handle2);

    /* 9 */
    op = call("domain.owner.set", "(ss{s:s,s:s,s:s,s:s,s:s})", key, name,
              "owner", handle2, "admin", handle2, "bill", handle2, "tech", handle2,
              "old_owner", handle);
    finish("domain.owner.set", op, seen, sizeof seen);
    answer = call("domain.info", "(ss)", key, name);
    expect("owner after domain.owner.set", handle2, handle_in("domain.info", answer, "owner"));
    ok("domain.owner.set %s", handle2);

    /* 10 */
    answer = call("operation.list", "(s{s:s})", key, "domain", name);
    count = xmlrpc_array_size(&env, answer);
    understood("operation.list");
    if (count != 3)
        fail("operation.list: expected 3 entries, saw %d", count);
    xmlrpc_read_int(&env, call("operation.count", "(s{s:s})", key, "domain", name), &count);
    understood("operation.count");
    if (count != 3)
        fail("operation.count: expected 3, saw %d", count);
    ok("operation.list and operation.count 3");

    /* 11 */
    fault("domain.info of a foreign name", 510042, "CAUSE_NOTFOUND", "domain.info", key, foreign);
    fault("wrong key", 510150, "Invalid API key", "domain.info", "abcdefghijklmnopqrstuvwx", name);
    fault("unknown method", 1, "", "domain.nosuchmethod", key, NULL);

    xmlrpc_client_cleanup();
    return 0;
}
