// A tiny text adventure: find the lamp, dare the cellar, take the crown out into the garden.
const ROOMS = {
  garden: { text: "You are in a garden. The house is north.", exits: { north: "hall" } },
  hall: { text: "You are in a hall. Doors lead east, south and down.", exits: { east: "kitchen", south: "garden", down: "cellar" } },
  kitchen: { text: "You are in a kitchen. The hall is west.", exits: { west: "hall" }, thing: "lamp" },
  cellar: { text: "You are in a cellar. Stairs lead up.", exits: { up: "hall" }, thing: "crown" },
};

export default defineWorld({
  name: "adventure",
  maxTurns: 16,
  best: 11.5,

  start() {
    const state = { room: "garden", lamp: false, crown: false };
    return { text: `${seen(state)}\n`, choices: choices(state), state };
  },

  act(state, said) {
    const next = { ...state };
    if (said.startsWith("take ")) {
      const thing = said.slice("take ".length);
      next[thing] = true;
      return { reply: `You have the ${thing}.`, reward: thing === "lamp" ? 1 : 3, end: null, choices: choices(next), state: next };
    }
    next.room = ROOMS[state.room].exits[said.slice("go ".length)];
    if (next.room === "cellar" && !next.lamp) {
      return { reply: "It is pitch dark. You fall down the stairs.", reward: -3, end: "over", state: next };
    }
    if (next.room === "garden" && next.crown) {
      return { reply: "The sun shines on your crown. You win!", reward: 8, end: "won", state: next };
    }
    return { reply: seen(next), reward: -0.1, end: null, choices: choices(next), state: next };
  },
});

function seen(state) {
  const { text, thing } = ROOMS[state.room];
  return thing && !state[thing] ? `${text} There is a ${thing}.` : text;
}

function choices(state) {
  const { exits, thing } = ROOMS[state.room];
  const ways = Object.keys(exits).map((way) => `go ${way}`);
  return thing && !state[thing] ? [...ways, `take ${thing}`] : ways;
}
