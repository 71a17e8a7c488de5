// The frozen lake: from S to G, around the holes (O). Draw another lake if you like.
const LAKE = [
  "S..O",
  ".O..",
  "....",
  "O..G",
];
const MOVES = { up: [-1, 0], down: [1, 0], left: [0, -1], right: [0, 1] };

export default defineWorld({
  name: "frozen-lake",
  maxTurns: 20,
  best: 1,
  worst: -1,
  memory: 0, // The reply shows all there is to know, so the agent need not read what came before.

  start() {
    return { text: drawn(0, 0), choices: Object.keys(MOVES), state: { row: 0, column: 0 } };
  },

  act({ row, column }, said) {
    const [down, right] = MOVES[said];
    const state = { row: within(row + down), column: within(column + right) };
    const there = LAKE[state.row][state.column];
    const reply = drawn(state.row, state.column);
    if (there === "G") return { reply, reward: 1, end: "won", state };
    if (there === "O") return { reply, reward: -1, end: "over", state };
    return { reply, reward: -0.02, end: null, choices: Object.keys(MOVES), state };
  },
});

function within(place) {
  return Math.min(LAKE.length - 1, Math.max(0, place));
}

// The lake with the player in it, as text.
function drawn(row, column) {
  const rows = LAKE.map((line, r) => (r === row ? line.slice(0, column) + "@" + line.slice(column + 1) : line));
  return `${rows.join("\n")}\n`;
}
