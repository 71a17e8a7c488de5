/*
 * The work of bench/embedding.py done by the component in a host that adds next to nothing, as one
 * JSON object. The file of the component is compiled here, which takes seconds that are not counted.
 *
 *   embedded_play archer.wasm model-file games turns opening
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../examples/embed/c/archer.h"

/* What the work is: sampled games in which every reply is "No.". */
struct work {
    uint64_t games;
    uint32_t turns;
    const char *opening;
};

static void no_world(void *data, const wit_value *arguments, wit_value *result)
{
    (void)data, (void)arguments;
    if (result != NULL)
        *result = wit_err(wit_text("there is no world"));
}

static void no_close(void *data, const wit_value *arguments, wit_value *result)
{
    (void)data, (void)arguments, (void)result;
}

/* Seconds that this thread has computed; those of a busy machine in which it waited do not count. */
static double processor_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static wit_value bytes_of(const uint8_t *bytes, size_t size)
{
    wit_value list = {.kind = WASMTIME_COMPONENT_LIST};
    wasmtime_component_vallist_new_uninit(&list.of.list, size);
    for (size_t i = 0; i < size; i++) {
        list.of.list.data[i].kind = WASMTIME_COMPONENT_U8;
        list.of.list.data[i].of.u8 = bytes[i];
    }
    return list;
}

static bool load(archer *host, const char *file, wit_value *agent)
{
    size_t size;
    uint8_t *bytes = archer_read(file, &size);
    if (bytes == NULL) {
        perror(file);
        return false;
    }
    wit_value list = bytes_of(bytes, size);
    free(bytes);
    return archer_call(host, "[static]agent.load", WIT_VALUES(list), agent);
}

static bool turn(archer *host, const wit_value *talk, const char *before, bool told)
{
    wit_value utterance;
    wit_value options = wit_record(WIT_FIELDS(
        {"sample", wit_bool(true)}, {"score", wit_bool(false)}, {"alternatives", wit_u32(0)}));
    if (!archer_call(host, "[method]talk.say", WIT_VALUES(wit_copy(talk), options), &utterance))
        return false;
    const wit_value *said = wit_field(&utterance, "text");
    /* What this agent says has no quotation marks and no backslashes. */
    if (told)
        printf("%s\"%.*s\"", before, (int)said->of.string.size, said->of.string.data);
    wit_delete(&utterance);
    return archer_call(host, "[method]talk.hear",
                       WIT_VALUES(wit_copy(talk), wit_text("No."), wit_none()), NULL);
}

static bool play(archer *host, const wit_value *agent, struct work work, uint64_t seed, bool told)
{
    wit_value talk;
    wit_value options = wit_record(WIT_FIELDS(
        {"opening", wit_text(work.opening)},
        {"choices", wit_none()},
        {"seed", wit_u64(seed)},
        {"exchanges", wit_list(0, NULL)}));
    if (!archer_call(host, "[method]agent.start", WIT_VALUES(wit_copy(agent), options), &talk))
        return false;
    bool going = true;
    for (uint32_t i = 0; going && i < work.turns; i++)
        going = turn(host, &talk, seed > 1 || i > 0 ? ", " : "", told);
    archer_drop(host, &talk);
    return going;
}

static bool run(archer *host, const char *file, struct work work)
{
    wit_value agent;
    if (!load(host, file, &agent))
        return false;
    /* Once to warm up. */
    bool going = play(host, &agent, work, 0, false);
    printf("{\"said\": [");
    double begin = processor_seconds();
    for (uint64_t seed = 1; going && seed <= work.games; seed++)
        going = play(host, &agent, work, seed, true);
    printf("], \"processor\": %.6f}\n", processor_seconds() - begin);
    archer_drop(host, &agent);
    return going;
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fprintf(stderr, "usage: %s archer.wasm model-file games turns opening\n", arguments[0]);
        return 2;
    }
    struct work work = {strtoull(arguments[3], NULL, 10), (uint32_t)strtoul(arguments[4], NULL, 10),
                        arguments[5]};
    archer_worlds worlds = {no_world, no_world, no_close, NULL};
    archer host;
    bool done = archer_open(&host, arguments[1], worlds, (archer_limits){.memory = 1 << 30}) &&
                run(&host, arguments[2], work);
    if (!done)
        fprintf(stderr, "%s: %s\n%s\n", host.error.code, host.error.message, host.error.hint);
    archer_close(&host);
    return done ? 0 : 1;
}
