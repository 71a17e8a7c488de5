#include "archer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1.0"
#define WORLDS "archer:agents/worlds@" VERSION
#define AGENTS "archer:agents/agents@" VERSION

/* What to do about faults that have more than one place. */
#define OTHER_VERSION "The component is of another version than this host: take both from one."
#define FAULT "This is a fault of this file's."

static char *copied(const char *text)
{
    wasm_name_t bytes = {strlen(text), (char *)text};
    return wit_string(&bytes);
}

static char *joined(const char *first, const char *second, const char *third)
{
    size_t room = strlen(first) + strlen(second) + strlen(third) + 1;
    char *text = malloc(room);
    if (text != NULL)
        snprintf(text, room, "%s%s%s", first, second, third);
    return text;
}

/* Notes what went wrong in place of what was noted before. Takes the message. */
static bool fail(archer *host, char *code, char *message, char *hint)
{
    free(host->error.code);
    free(host->error.message);
    free(host->error.hint);
    host->error = (archer_error){code, message, hint};
    return false;
}

static bool fail_here(archer *host, char *message, const char *hint)
{
    return fail(host, copied("host"), message, copied(hint));
}

/* Whether wasmtime did it; notes what it says otherwise, and frees that. */
static bool done(archer *host, wasmtime_error_t *error, const char *hint)
{
    if (error == NULL)
        return true;
    wasm_name_t message;
    wasmtime_error_message(error, &message);
    wasmtime_error_delete(error);
    fail_here(host, wit_string(&message), hint);
    wasm_name_delete(&message);
    return false;
}

/* Notes an error of the component's. */
static bool refused(archer *host, const wit_value *error)
{
    return fail(host, wit_string(&wit_field(error, "code")->of.enumeration),
                wit_string(&wit_field(error, "message")->of.string),
                wit_string(&wit_field(error, "hint")->of.string));
}

uint8_t *archer_read(const char *name, size_t *size)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    size_t room = 4 << 20, read = 0;
    for (;;) {
        uint8_t *more = realloc(bytes, room);
        if (more == NULL)
            break;
        bytes = more;
        read += fread(bytes + read, 1, room - read, file);
        if (read < room)
            break;
        room *= 2;
    }
    /* The end was reached, unless there was no memory or a fault of the file's. */
    if (!feof(file)) {
        free(bytes);
        bytes = NULL;
    }
    *size = read;
    int why = errno;
    fclose(file);
    errno = why;
    return bytes;
}

static bool compile(archer *host, const char *file)
{
    wasm_config_t *config = wasm_config_new();
    wasmtime_config_consume_fuel_set(config, host->limits.fuel > 0);
    host->engine = wasm_engine_new_with_config(config);
    size_t size;
    uint8_t *bytes = archer_read(file, &size);
    if (bytes == NULL)
        return fail_here(host, joined(file, ": ", strerror(errno)),
                         "Say where archer.wasm is; make component builds it.");
    wasmtime_error_t *error = wasmtime_component_new(host->engine, bytes, size, &host->component);
    free(bytes);
    return done(host, error, "This must be the file archer.wasm; make component builds it.");
}

/* What wasmtime calls where the component calls the host: passes on what a world needs of it. */
#define ANSWER(function)                                                                       \
    static wasmtime_error_t *answer_##function(                                                \
        void *worlds, wasmtime_context_t *context, const wasmtime_component_func_type_t *type, \
        wit_value *arguments, size_t count, wit_value *results, size_t result_count)           \
    {                                                                                          \
        (void)context, (void)type, (void)count, (void)result_count;                            \
        const archer_worlds *answers = worlds;                                                 \
        answers->function(answers->data, arguments, results);                                  \
        return NULL;                                                                           \
    }

ANSWER(start)
ANSWER(act)
ANSWER(close)

static bool grant_function(archer *host, wasmtime_component_linker_instance_t *worlds,
                           const char *name, wasmtime_component_func_callback_t answer)
{
    wasmtime_error_t *error = wasmtime_component_linker_instance_add_func(
        worlds, name, strlen(name), answer, &host->worlds, NULL);
    return done(host, error, FAULT);
}

/* Puts the three functions of `worlds` into the linker, and nothing else. */
static bool grant_worlds(archer *host, wasmtime_component_linker_t *linker)
{
    wasmtime_component_linker_instance_t *root = wasmtime_component_linker_root(linker);
    wasmtime_component_linker_instance_t *worlds = NULL;
    wasmtime_error_t *error =
        wasmtime_component_linker_instance_add_instance(root, WORLDS, strlen(WORLDS), &worlds);
    bool granted = done(host, error, FAULT) &&
                   grant_function(host, worlds, "start", answer_start) &&
                   grant_function(host, worlds, "act", answer_act) &&
                   grant_function(host, worlds, "close", answer_close);
    /* The linker is in use until both are deleted, the inner one first. */
    if (worlds != NULL)
        wasmtime_component_linker_instance_delete(worlds);
    wasmtime_component_linker_instance_delete(root);
    return granted;
}

/* Every call has the same fuel, whatever the one before has left. */
static bool refuel(archer *host)
{
    return host->limits.fuel == 0 ||
           done(host, wasmtime_context_set_fuel(host->context, host->limits.fuel), FAULT);
}

static bool link_instance(archer *host)
{
    wasmtime_component_linker_t *linker = wasmtime_component_linker_new(host->engine);
    bool linked = refuel(host) && grant_worlds(host, linker) &&
                  done(host,
                       wasmtime_component_linker_instantiate(linker, host->context, host->component,
                                                             &host->instance),
                       "Grant more memory, or take component and host from one version.");
    wasmtime_component_linker_delete(linker);
    return linked;
}

static bool instantiate(archer *host)
{
    host->store = wasmtime_store_new(host->engine, NULL, NULL);
    wasmtime_store_limiter(host->store, host->limits.memory, -1, -1, -1, -1);
    host->context = wasmtime_store_context(host->store);
    if (!link_instance(host))
        return false;
    host->agents = wasmtime_component_instance_get_export_index(&host->instance, host->context,
                                                                NULL, AGENTS, strlen(AGENTS));
    return host->agents != NULL ||
           fail_here(host, copied("there are no " AGENTS), OTHER_VERSION);
}

bool archer_open(archer *host, const char *file, archer_worlds worlds, archer_limits limits)
{
    *host = (archer){.worlds = worlds, .limits = limits};
    return compile(host, file) && instantiate(host);
}

static bool find(archer *host, const char *name, wasmtime_component_func_t *function)
{
    wasmtime_component_export_index_t *index = wasmtime_component_instance_get_export_index(
        &host->instance, host->context, host->agents, name, strlen(name));
    if (index == NULL)
        return fail_here(host, joined(AGENTS, " has no ", name), OTHER_VERSION);
    bool found =
        wasmtime_component_instance_get_func(&host->instance, host->context, index, function);
    wasmtime_component_export_index_delete(index);
    return found || fail_here(host, joined(name, " is", " no function"), OTHER_VERSION);
}

/* How many values a function gives: one or none. */
static size_t results_of(archer *host, const wasmtime_component_func_t *function)
{
    wasmtime_component_func_type_t *type = wasmtime_component_func_type(function, host->context);
    wasmtime_component_valtype_t result;
    bool has = wasmtime_component_func_type_result(type, &result);
    if (has)
        wasmtime_component_valtype_delete(&result);
    wasmtime_component_func_type_delete(type);
    return has ? 1 : 0;
}

/*
 * Takes the value out of a result; false where the result is an error, which is noted. Any other
 * value stays what it is.
 */
static bool unwrap(archer *host, wit_value *value)
{
    if (value->kind != WASMTIME_COMPONENT_RESULT)
        return true;
    bool is_ok = value->of.result.is_ok;
    wit_value inside = wit_bool(true);
    if (!is_ok)
        refused(host, value->of.result.val);
    else if (value->of.result.val != NULL)
        inside = wit_copy(value->of.result.val);
    wit_delete(value);
    *value = inside;
    return is_ok;
}

bool archer_call(archer *host, const char *name, size_t count, wit_value *arguments,
                 wit_value *result)
{
    wasmtime_component_func_t function;
    /* wasmtime replaces this value, which must be a valid one before. */
    wit_value answer = wit_bool(true);
    bool called = find(host, name, &function) && refuel(host) &&
                  done(host,
                       wasmtime_component_func_call(&function, host->context, arguments, count,
                                                    &answer, results_of(host, &function)),
                       "After a trap open another instance, and load what was saved.");
    for (size_t i = 0; i < count; i++)
        wit_delete(&arguments[i]);
    if (!called || !unwrap(host, &answer))
        return false;
    if (result != NULL)
        *result = answer;
    else
        wit_delete(&answer);
    return true;
}

/* After a trap the component frees nothing more, and wasmtime says so: all goes with the instance. */
void archer_drop(archer *host, wit_value *resource)
{
    if (refuel(host)) {
        wasmtime_error_t *error =
            wasmtime_component_resource_any_drop(host->context, resource->of.resource);
        if (error != NULL)
            wasmtime_error_delete(error);
    }
    wit_delete(resource);
}

void archer_close(archer *host)
{
    if (host->agents != NULL)
        wasmtime_component_export_index_delete(host->agents);
    if (host->store != NULL)
        wasmtime_store_delete(host->store);
    if (host->component != NULL)
        wasmtime_component_delete(host->component);
    if (host->engine != NULL)
        wasm_engine_delete(host->engine);
    fail(host, NULL, NULL, NULL);
}
