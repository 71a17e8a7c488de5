// Wordle of 200 words, with a notebook: after a guess the agent reads some of the words that still fit, and chooses the
// next one among six, of which most do not.
const WORDS = `
  about above actor agent alarm alive angel anger apple april arena armor award bacon badge baker basic beach
  beard beast began being below bench birth black blade blame blank blaze blend block blood bloom board bonus
  boost booth brain brake brand brave bread break brick bride brief bring broad brown brush build bunch cabin
  cable camel candy cargo carry catch cause chain chair chalk charm chart chase cheap cheek chess chest chief
  child chord civic claim class clean clear clerk click cliff climb clock close cloth cloud coach coast coral
  couch count court cover crack craft crane crash cream crisp crown cruel curve daily dairy dance delta depth
  diary dirty dozen draft drama dream dress drift drink drive eagle early earth eight elbow empty enemy enjoy
  entry equal error event extra fable faith fancy fault favor feast field fifty fight final flame flash fleet
  float flood floor flour fluid focus force forge forty frame fresh front frost fruit ghost giant glass globe
  glory glove grace grade grain grand grape grass great green group guard guess guest guide habit happy heart
  heavy hedge hello honey horse hotel house human humor ideal image index input joint judge juice knife label
  laser lemon
`.trim().split(/\s+/);

export default defineWorld({
  name: "wordle",
  maxTurns: 6,
  memory: 0, // The reply shows all that is known.

  start({ seed }) {
    const state = { secret: WORDS[drawn(seed, 0) % WORDS.length], seed, turn: 0, fits: WORDS };
    return opened(state, "Guess the word.");
  },

  act(state, said) {
    if (said === state.secret) return { reply: "Right!", reward: 1, end: "won", state };
    const marks = marksOf(said, state.secret);
    const fits = state.fits.filter((word) => word !== said && marksOf(said, word) === marks);
    const { text, choices, state: next } = opened({ ...state, turn: state.turn + 1, fits }, marks);
    return { reply: text, reward: -0.2, end: null, choices, state: next };
  },
});

// Two words that fit, which the notebook shows, among six that are offered.
function opened(state, text) {
  const noted = some(state.fits, 2, state);
  const others = some(WORDS.filter((word) => !state.fits.includes(word) || state.turn === 0), 6 - noted.length, state);
  return { text: `${text} Fits: ${noted.join(", ")}.\n`, choices: [...new Set([...noted, ...others])].sort(), state };
}

function some(words, count, { seed, turn }) {
  const from = drawn(seed, 7 * turn + count);
  return words.length <= count ? words : Array.from({ length: count }, (_, n) => words[(from + n * 7919) % words.length]);
}

// G: the letter is right; Y: it is elsewhere in the word; a dot: it is not in it.
function marksOf(guess, secret) {
  return [...guess].map((letter, n) => (secret[n] === letter ? "G" : secret.includes(letter) ? "Y" : ".")).join("");
}

// A number that looks drawn by chance and is the same for the same seed.
function drawn(seed, n) {
  let x = (seed ^ Math.imul(n + 1, 2654435761)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 2246822507) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 3266489909) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}
