/** What a world says: where it draws with letters, every letter is as wide as the others. */
export function Said({ text }: { text: string }) {
  const bare = text.trimEnd();
  return <pre class={bare.includes("\n") ? "drawn" : ""}>{bare}</pre>;
}
