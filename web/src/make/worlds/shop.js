// A shop that bargains. The lamp is worth 10 to you. How low the merchant goes depends on the mood and the day; after
// too many low offers the merchant throws you out.
const MOODS = [
  { name: "cheerful", floor: 3, patience: 3 },
  { name: "tired", floor: 2, patience: 1 },
  { name: "grumpy", floor: 6, patience: 1 },
];
const OFFERS = [2, 3, 4, 5, 6, 7, 8, 9];
const CHOICES = [...OFFERS.map((price) => `offer ${price}`), "walk away"];

export default defineWorld({
  name: "shop",
  maxTurns: 6,
  tasks: MOODS.length,

  start({ seed, task }) {
    const mood = MOODS[task ?? seed % MOODS.length];
    const floor = mood.floor + (Math.floor(seed / MOODS.length) % 3);
    return {
      text: `A ${mood.name} merchant holds up a lamp. "It is yours for 9."\n`,
      choices: CHOICES,
      state: { floor, patience: mood.patience },
    };
  },

  act(state, said) {
    if (said === "walk away") return { reply: "You leave without the lamp.", reward: 0, end: "over", state };
    const price = Number(said.replace("offer ", ""));
    // What you have saved is your reward.
    if (price >= state.floor) return { reply: `"Sold, for ${price}!"`, reward: 10 - price, end: "won", state };
    if (state.patience === 0) return { reply: `"Out of my shop!"`, reward: -1, end: "over", state };
    const next = { ...state, patience: state.patience - 1 };
    const reply = price < state.floor - 1 ? `"You insult me."` : `"A little more."`;
    return { reply, reward: 0, end: null, choices: CHOICES, state: next };
  },
});
