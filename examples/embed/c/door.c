/*
 * A world written in C, learned and played inside the component by wasmtime.
 *
 *   door archer.wasm [iterations]
 *
 * A player stands before a locked door. "take" and then "open" wins.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "archer.h"

/* This world is learned in half of this memory, and no call takes more than an eighth of the fuel. */
static const archer_limits LIMITS = {.memory = 64 << 20, .fuel = 10000000000};

static const char *const OPENING = "A locked door. A key lies here.";
static const uint32_t MAX_TURNS = 5;

/* A game that goes on, and whether its player has the key. */
struct game {
    uint64_t number;
    bool key;
};

/* All games that go on: the component plays those of an iteration side by side. */
struct doors {
    struct game *games;
    size_t count, room;
};

/* What an utterance brings about. */
struct turn {
    const char *reply;
    float reward;
    bool won;
};

static struct turn act(bool *key, const wit_value *said)
{
    if (wit_says(said, "take") && !*key) {
        *key = true;
        return (struct turn){"You have the key.", 0, false};
    }
    if (wit_says(said, "open") && *key)
        return (struct turn){"It opens.", 1, true};
    return (struct turn){"Nothing happens.", -0.1f, false};
}

static wit_value choices(void)
{
    return wit_some(wit_list(WIT_VALUES(wit_text("open"), wit_text("take"), wit_text("wait"))));
}

static struct game *find(struct doors *doors, uint64_t number)
{
    for (size_t i = 0; i < doors->count; i++)
        if (doors->games[i].number == number)
            return &doors->games[i];
    return NULL;
}

/* Notes a new game; false where there is no memory for it. */
static bool add(struct doors *doors, uint64_t number)
{
    if (doors->count == doors->room) {
        size_t room = doors->room == 0 ? 64 : 2 * doors->room;
        struct game *games = realloc(doors->games, room * sizeof *games);
        if (games == NULL)
            return false;
        doors->games = games;
        doors->room = room;
    }
    doors->games[doors->count++] = (struct game){number, false};
    return true;
}

/* start: func(start: game-start) -> result<opening, string> */
static void answer_start(void *data, const wit_value *arguments, wit_value *result)
{
    if (!add(data, wit_field(&arguments[0], "game")->of.u64)) {
        *result = wit_err(wit_text("there is no memory for another game"));
        return;
    }
    *result = wit_ok(wit_record(WIT_FIELDS(
        {"text", wit_text(OPENING)}, {"choices", choices()}, {"task", wit_none()})));
}

/* act: func(game: u64, said: string) -> result<played, string> */
static void answer_act(void *data, const wit_value *arguments, wit_value *result)
{
    struct game *game = find(data, arguments[0].of.u64);
    if (game == NULL) {
        *result = wit_err(wit_text("there is no such game"));
        return;
    }
    struct turn turn = act(&game->key, &arguments[1]);
    *result = wit_ok(wit_record(WIT_FIELDS(
        {"reply", wit_text(turn.reply)},
        {"reward", wit_f32(turn.reward)},
        {"end", turn.won ? wit_some(wit_enum("won")) : wit_none()},
        {"invalid", wit_bool(false)},
        {"choices", choices()})));
}

/* close: func(game: u64) */
static void answer_close(void *data, const wit_value *arguments, wit_value *result)
{
    (void)result;
    struct doors *doors = data;
    struct game *game = find(doors, arguments[0].of.u64);
    if (game != NULL)
        *game = doors->games[--doors->count];
}

static bool create(archer *host, wit_value *agent)
{
    wit_value world = wit_record(WIT_FIELDS(
        {"name", wit_text("door")},
        {"max-turns", wit_u32(MAX_TURNS)},
        {"memory", wit_none()},
        {"one-line", wit_bool(false)},
        {"tasks", wit_none()},
        {"best", wit_some(wit_f64(1))},
        {"worst", wit_none()},
        {"settings", wit_none()}));
    wit_value options = wit_record(WIT_FIELDS(
        {"world", world},
        {"demonstrations", wit_list(0, NULL)},
        {"size", wit_enum("tiny")},
        {"seed", wit_u64(1)},
        {"algorithm", wit_enum("ppo")},
        {"set", wit_list(0, NULL)}));
    return archer_call(host, "[static]agent.create", WIT_VALUES(options), agent);
}

static bool begin(archer *host, const wit_value *agent, uint32_t iterations)
{
    wit_value options = wit_record(WIT_FIELDS(
        {"world", wit_none()},
        {"iterations", wit_u32(iterations)},
        {"games", wit_none()},
        {"seed", wit_u64(1)},
        {"resume", wit_none()},
        {"set", wit_list(0, NULL)}));
    return archer_call(host, "[method]agent.fine-tune", WIT_VALUES(wit_copy(agent), options), NULL);
}

/* Prints every fifth iteration. Whether it was the last one. */
static bool show(const wit_value *update)
{
    uint32_t iteration = wit_field(update, "iteration")->of.u32;
    if (iteration % 5 == 0)
        printf("iteration %" PRIu32 ": return %.2f\n", iteration,
               wit_field(update, "mean-return")->of.f64);
    return wit_field(update, "finished")->of.boolean;
}

static bool learn(archer *host, const wit_value *agent, uint32_t iterations)
{
    if (!begin(host, agent, iterations))
        return false;
    for (bool finished = false; !finished;) {
        /* Twenty pieces a call, between which the host could do something else. */
        wit_value update, pieces = wit_some(wit_u32(20));
        if (!archer_call(host, "[method]agent.step", WIT_VALUES(wit_copy(agent), pieces), &update))
            return false;
        if (update.of.option != NULL)
            finished = show(update.of.option);
        wit_delete(&update);
    }
    return true;
}

/* One turn of a conversation: the agent speaks, and the door answers. */
static bool play_turn(archer *host, const wit_value *talk, bool *key, bool *won)
{
    wit_value utterance;
    wit_value options = wit_record(WIT_FIELDS(
        {"sample", wit_bool(false)}, {"score", wit_bool(false)}, {"alternatives", wit_u32(0)}));
    if (!archer_call(host, "[method]talk.say", WIT_VALUES(wit_copy(talk), options), &utterance))
        return false;
    const wit_value *said = wit_field(&utterance, "text");
    struct turn turn = act(key, said);
    printf("> %.*s\n%s\n", (int)said->of.string.size, said->of.string.data, turn.reply);
    wit_delete(&utterance);
    *won = turn.won;
    if (turn.won)
        return true;
    wit_value reply = wit_text(turn.reply);
    return archer_call(host, "[method]talk.hear", WIT_VALUES(wit_copy(talk), reply, choices()), NULL);
}

static bool play(archer *host, const wit_value *agent)
{
    wit_value talk;
    wit_value options = wit_record(WIT_FIELDS(
        {"opening", wit_text(OPENING)},
        {"choices", choices()},
        {"seed", wit_u64(1)},
        {"exchanges", wit_list(0, NULL)}));
    if (!archer_call(host, "[method]agent.start", WIT_VALUES(wit_copy(agent), options), &talk))
        return false;
    printf("%s\n", OPENING);
    bool key = false, won = false, going = true;
    for (uint32_t turn = 0; going && !won && turn < MAX_TURNS; turn++)
        going = play_turn(host, &talk, &key, &won);
    archer_drop(host, &talk);
    return going;
}

static bool evaluate(archer *host, const wit_value *agent)
{
    wit_value evaluation;
    wit_value options = wit_record(WIT_FIELDS(
        {"games", wit_u32(20)},
        {"seed", wit_u64(7)},
        {"sample", wit_bool(false)},
        {"world", wit_none()}));
    if (!archer_call(host, "[method]agent.evaluate", WIT_VALUES(wit_copy(agent), options),
                     &evaluation))
        return false;
    printf("trained: return %.2f\n", wit_field(&evaluation, "mean-return")->of.f64);
    wit_delete(&evaluation);
    return true;
}

/* The life of an agent: from nothing, by so many iterations, to an evaluation. */
static bool run(archer *host, uint32_t iterations)
{
    wit_value agent;
    if (!create(host, &agent))
        return false;
    bool done = learn(host, &agent, iterations) && play(host, &agent) && evaluate(host, &agent);
    archer_drop(host, &agent);
    return done;
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: %s archer.wasm [iterations]\n", arguments[0]);
        return 2;
    }
    uint32_t iterations = count == 3 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 20;
    struct doors doors = {0};
    archer_worlds worlds = {answer_start, answer_act, answer_close, &doors};
    archer host;
    bool done = archer_open(&host, arguments[1], worlds, LIMITS) && run(&host, iterations);
    if (!done)
        fprintf(stderr, "%s: %s\n%s\n", host.error.code, host.error.message, host.error.hint);
    archer_close(&host);
    free(doors.games);
    return done ? 0 : 1;
}
