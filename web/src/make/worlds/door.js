// A locked door. The key is under the mat.
// A world says what the agent sees, what it may say, and what each turn is worth.
export default defineWorld({
  name: "door",
  maxTurns: 8,
  best: 6,

  // A game begins. Draw all chance from the seed, so that the same seed gives the same game.
  start({ seed }) {
    const state = { mat: ["red", "blue"][seed % 2], lifted: false, key: false, unlocked: false };
    return { text: `A locked door. Before it lies a ${state.mat} mat.\n`, choices: choices(state), state };
  },

  // The agent has said one of the choices. Every turn costs a point; an open door pays ten.
  act(state, said) {
    const next = { ...state };
    let reply = "Nothing happens.";
    if (said === "lift the mat") {
      next.lifted = true;
      reply = state.key ? "There is only dust." : "A key lies there.";
    } else if (said === "take the key" && state.lifted && !state.key) {
      next.key = true;
      reply = "You have the key.";
    } else if (said === "unlock the door") {
      next.unlocked = state.key;
      reply = state.key ? "Click." : "You have no key.";
    } else if (said === "open the door" && state.unlocked) {
      return { reply: "It opens!", reward: 9, end: "won", state: next };
    } else if (said === "open the door") {
      reply = "It is locked.";
    }
    return { reply, reward: -1, end: null, choices: choices(next), state: next };
  },
});

// What can be said. It may depend on the state; here it does not.
function choices() {
  return ["open the door", "unlock the door", "take the key", "lift the mat", "knock", "wait"];
}
