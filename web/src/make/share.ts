// A world as a link: its code is in the address, behind the #, so nothing is sent anywhere.
import { deflateSync, inflateSync, strToU8 } from "fflate";
import { addressOfCode } from "../route";

/** The longest code that is read from a link, in bytes, and the longest link that is read. */
const MOST = { code: 200_000, packed: 100_000 };

/** The link to a world. */
export function linkTo(code: string): string {
  const text = Array.from(deflateSync(strToU8(code), { level: 9 }), (byte) => String.fromCharCode(byte)).join("");
  const packed = btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return location.href.replace(/#.*$/, "") + addressOfCode(packed);
}

/** The code that a link carries, or nothing where it carries none. */
export function codeOf(packed: string): string | null {
  if (packed.length > MOST.packed) return null;
  try {
    const text = atob(packed.replace(/-/g, "+").replace(/_/g, "/"));
    // What unpacks to more than there may be is cut by the buffer, and then no end of it is found.
    const bytes = inflateSync(Uint8Array.from(text, (c) => c.charCodeAt(0)), { out: new Uint8Array(MOST.code) });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
