// Numbers as people read them.

/** A number with a true minus sign. */
export function fixed(value: number, digits = 2): string {
  return value.toFixed(digits).replace("-", "−");
}

/** A number that always shows its sign. */
export function signed(value: number, digits = 2): string {
  const text = fixed(value, digits);
  return value > 0 && !/^0[.0]*$/.test(text) ? `+${text}` : text;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** 91873 as "92 thousand". */
export function about(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} million`;
  if (count >= 1e3) return `${Math.round(count / 1e3)} thousand`;
  return String(count);
}

export function bytes(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(count / 1e3))} kB`;
}

/** Seconds as "1 min 20 s". */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "a piano", "an orange", "pants". */
export function withArticle(thing: string): string {
  if (/^(a|an|the) /i.test(thing) || (/s$/.test(thing) && !/ss$/.test(thing))) return thing;
  return `${/^[aeiou]/i.test(thing) ? "an" : "a"} ${thing}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
