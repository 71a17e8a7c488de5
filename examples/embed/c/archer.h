/*
 * The component archer.wasm in C, by wasmtime's C interface. wit/archer.wit documents every call.
 *
 * The host grants the games of its worlds, and so much memory and fuel as it says; the component
 * reaches nothing else.
 */
#ifndef ARCHER_H
#define ARCHER_H

#include "wit.h"

/* What went wrong: a code to act on, a sentence, and what to do about it. */
typedef struct {
    /* An error-code of the interface, or "host" where wasmtime or the host failed. */
    char *code;
    char *message;
    char *hint;
} archer_error;

/*
 * One of the functions of `worlds`. It reads its arguments, which it does not own, and sets the
 * result, where the function has one.
 */
typedef void (*archer_answer)(void *data, const wit_value *arguments, wit_value *result);

/* The worlds of the host. */
typedef struct {
    archer_answer start, act, close;
    /* What these functions are handed. */
    void *data;
} archer_worlds;

/* What an instance may use. */
typedef struct {
    /* Bytes of its memory. */
    int64_t memory;
    /* Fuel of one call, about one unit for an instruction; 0 for as much as it takes, and faster. */
    uint64_t fuel;
} archer_limits;

/*
 * An instance of the component. It stays where it is while it is open, for wasmtime keeps pointers
 * into it.
 */
typedef struct {
    wasm_engine_t *engine;
    wasmtime_component_t *component;
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_component_instance_t instance;
    wasmtime_component_export_index_t *agents;
    archer_worlds worlds;
    archer_limits limits;
    archer_error error;
} archer;

/*
 * Compiles the file, which takes seconds, and makes an instance. False where that fails: `error` says
 * why. archer_close follows in any case.
 */
bool archer_open(archer *host, const char *file, archer_worlds worlds, archer_limits limits);

/*
 * Calls a function of `agents`, such as "[method]agent.step", and deletes the arguments. The result
 * is what the function gives when it succeeds, to be deleted; NULL where it is not wanted. False
 * where the call failed: `error` says why, and there is no result.
 *
 * After an error of the component's the agent is what it was. After code "host" the instance may
 * have trapped, and is of no more use.
 */
bool archer_call(archer *host, const char *name, size_t count, wit_value *arguments,
                 wit_value *result);

/* Frees an agent or a talk, here and in the component. */
void archer_drop(archer *host, wit_value *resource);

void archer_close(archer *host);

/* Reads a file to its end, into memory to be freed; NULL where that fails, and errno says why. */
uint8_t *archer_read(const char *file, size_t *size);

#endif
