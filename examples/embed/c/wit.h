/*
 * Values of a component's interface, made and read in C.
 *
 * Whoever makes a value owns it. A value that is handed to a maker below, or to archer_call as an
 * argument, belongs to what it is handed to; every other value ends with wit_delete.
 */
#ifndef ARCHER_WIT_H
#define ARCHER_WIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasmtime.h>
#include <wasmtime/component.h>

typedef wasmtime_component_val_t wit_value;

/* A field of a record. */
typedef struct {
    const char *name;
    wit_value value;
} wit_named;

wit_value wit_bool(bool yes);
wit_value wit_u32(uint32_t number);
wit_value wit_u64(uint64_t number);
wit_value wit_f32(float number);
wit_value wit_f64(double number);
wit_value wit_text(const char *text);
wit_value wit_enum(const char *name);
wit_value wit_none(void);
wit_value wit_some(wit_value value);
wit_value wit_ok(wit_value value);
wit_value wit_err(wit_value value);
wit_value wit_list(size_t count, const wit_value *items);
/* The fields stand in the order of the interface. */
wit_value wit_record(size_t count, const wit_named *fields);
/* A copy; that of a resource names the same resource. */
wit_value wit_copy(const wit_value *value);
void wit_delete(wit_value *value);

/* Count and array of what is listed: wit_list(WIT_VALUES(a, b)), wit_record(WIT_FIELDS({"x", a})). */
#define WIT_VALUES(...) WIT_COUNTED(wit_value, __VA_ARGS__)
#define WIT_FIELDS(...) WIT_COUNTED(wit_named, __VA_ARGS__)
/* sizeof only looks at the type, so what is listed is made once. */
#define WIT_COUNTED(type, ...) sizeof((type[]){__VA_ARGS__}) / sizeof(type), (type[]){__VA_ARGS__}

/* The field of this name, which stays the record's. A name that is not there ends the program. */
const wit_value *wit_field(const wit_value *record, const char *name);
/* Whether a text is this one. */
bool wit_says(const wit_value *text, const char *words);
/* A C string of these bytes, to be freed. */
char *wit_string(const wasm_name_t *bytes);

#endif
