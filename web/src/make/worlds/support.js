// A support line. A caller has no internet; find the fault by asking, then name the cure.
// Every question costs a little, a wrong cure more; the right one pays a point.
const FAULTS = [
  { cure: "plug in the router", lights: false, others: false, cable: true },
  { cure: "replace the cable", lights: true, others: false, cable: false },
  { cure: "restart the router", lights: true, others: false, cable: true },
  { cure: "type the password again", lights: true, others: true, cable: true },
];
const QUESTIONS = {
  "are the lights on?": "lights",
  "do other devices work?": "others",
  "is the cable whole?": "cable",
};
const CHOICES = [...Object.keys(QUESTIONS), ...FAULTS.map((fault) => fault.cure)];

export default defineWorld({
  name: "support",
  maxTurns: 8,
  tasks: FAULTS.length,
  best: 0.775,

  start({ seed, task }) {
    const fault = FAULTS[task ?? seed % FAULTS.length];
    return { text: "Caller: My internet is dead.\n", choices: CHOICES, state: { fault, left: CHOICES } };
  },

  act({ fault, left: before }, said) {
    // Nobody says the same thing twice.
    const left = before.filter((choice) => choice !== said);
    const state = { fault, left };
    const property = QUESTIONS[said];
    if (property) return { reply: fault[property] ? "Yes." : "No.", reward: -0.1, end: null, choices: left, state };
    if (said === fault.cure) return { reply: "It works again, thank you!", reward: 1, end: "won", state };
    return { reply: "That did not help.", reward: -0.4, end: null, choices: left, state };
  },
});
