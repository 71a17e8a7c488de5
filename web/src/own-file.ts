// A model file of the visitor's own, in the origin's private file system: the file that was chosen may be gone from its
// folder at the next visit, and a language model is too large for IndexedDB.

const FOLDER = "archer-page";
const NAME = "own.archer";

async function folder(create: boolean): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create });
}

/** Keeps a file in the place of the one before; piece by piece, so that it is never in memory. */
export async function storeOwnFile(file: Blob): Promise<void> {
  const handle = await (await folder(true)).getFileHandle(NAME, { create: true });
  const stream = await handle.createWritable();
  // Closes the stream, or undoes what was written where anything fails.
  await file.stream().pipeTo(stream);
}

/** The file that is kept, where there is one. */
export async function ownFile(): Promise<File | null> {
  try {
    return await (await (await folder(false)).getFileHandle(NAME)).getFile();
  } catch {
    return null;
  }
}

export async function forgetOwnFile(): Promise<void> {
  try {
    await (await folder(false)).removeEntry(NAME);
  } catch {
    // There is none, or the browser has no such place.
  }
}
