#include "wit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

wit_value wit_bool(bool yes)
{
    return (wit_value){.kind = WASMTIME_COMPONENT_BOOL, .of.boolean = yes};
}

wit_value wit_u32(uint32_t number)
{
    return (wit_value){.kind = WASMTIME_COMPONENT_U32, .of.u32 = number};
}

wit_value wit_u64(uint64_t number)
{
    return (wit_value){.kind = WASMTIME_COMPONENT_U64, .of.u64 = number};
}

wit_value wit_f32(float number)
{
    return (wit_value){.kind = WASMTIME_COMPONENT_F32, .of.f32 = number};
}

wit_value wit_f64(double number)
{
    return (wit_value){.kind = WASMTIME_COMPONENT_F64, .of.f64 = number};
}

wit_value wit_text(const char *text)
{
    wit_value made = {.kind = WASMTIME_COMPONENT_STRING};
    wasm_name_new_from_string(&made.of.string, text);
    return made;
}

wit_value wit_enum(const char *name)
{
    wit_value made = {.kind = WASMTIME_COMPONENT_ENUM};
    wasm_name_new_from_string(&made.of.enumeration, name);
    return made;
}

wit_value wit_none(void)
{
    return (wit_value){.kind = WASMTIME_COMPONENT_OPTION, .of.option = NULL};
}

/* wasmtime frees what lies in an option or a result, so wasmtime allocates it, too. */
wit_value wit_some(wit_value value)
{
    wit_value *inside = wasmtime_component_val_new(&value);
    return (wit_value){.kind = WASMTIME_COMPONENT_OPTION, .of.option = inside};
}

static wit_value result(bool is_ok, wit_value value)
{
    wit_value *inside = wasmtime_component_val_new(&value);
    return (wit_value){.kind = WASMTIME_COMPONENT_RESULT, .of.result = {is_ok, inside}};
}

wit_value wit_ok(wit_value value)
{
    return result(true, value);
}

wit_value wit_err(wit_value value)
{
    return result(false, value);
}

wit_value wit_list(size_t count, const wit_value *items)
{
    wit_value made = {.kind = WASMTIME_COMPONENT_LIST};
    wasmtime_component_vallist_new(&made.of.list, count, items);
    return made;
}

wit_value wit_record(size_t count, const wit_named *fields)
{
    wit_value made = {.kind = WASMTIME_COMPONENT_RECORD};
    wasmtime_component_valrecord_new_uninit(&made.of.record, count);
    for (size_t i = 0; i < count; i++) {
        wasmtime_component_valrecord_entry_t *entry = &made.of.record.data[i];
        wasm_name_new_from_string(&entry->name, fields[i].name);
        entry->val = fields[i].value;
    }
    return made;
}

wit_value wit_copy(const wit_value *value)
{
    wit_value copy;
    wasmtime_component_val_clone(value, &copy);
    return copy;
}

void wit_delete(wit_value *value)
{
    wasmtime_component_val_delete(value);
}

static bool same(const wasm_name_t *bytes, const char *words)
{
    return bytes->size == strlen(words) && memcmp(bytes->data, words, bytes->size) == 0;
}

/* wasmtime has checked the component's types: only a wrong name in the host's code is not found. */
const wit_value *wit_field(const wit_value *record, const char *name)
{
    for (size_t i = 0; record->kind == WASMTIME_COMPONENT_RECORD && i < record->of.record.size; i++) {
        const wasmtime_component_valrecord_entry_t *entry = &record->of.record.data[i];
        if (same(&entry->name, name))
            return &entry->val;
    }
    fprintf(stderr, "there is no field %s\n", name);
    abort();
}

bool wit_says(const wit_value *text, const char *words)
{
    return same(&text->of.string, words);
}

char *wit_string(const wasm_name_t *bytes)
{
    char *string = malloc(bytes->size + 1);
    if (string == NULL)
        return NULL;
    /* The bytes of an empty text may be nowhere. */
    if (bytes->size > 0)
        memcpy(string, bytes->data, bytes->size);
    string[bytes->size] = '\0';
    return string;
}
