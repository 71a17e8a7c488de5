// Offline after the first visit: keeps every file of this build, and answers from what it kept.
//
// Written here rather than by a library: the common plugin brings over three hundred packages for what is
// forty lines, and two of them are ours alone: whatever is not this page's own is refused, and a file that
// few need (the WebGPU module) is kept only once it was asked for.

const worker = self as unknown as ServiceWorkerGlobalScope;

/** Every file of the build and a name for all of them together; put in by vite.config.ts. */
declare const __FILES__: string[];
declare const __BUILD__: string;

/** As the build names what it may name. */
const HASHED = /^assets\/.*-[\w-]{8}\.\w+$/;

const CACHE = `archer ${__BUILD__}`;

worker.addEventListener("install", (event) => {
  // A file whose name carries a hash of its text is the right one wherever it comes from, and the page has just fetched
  // most of them. Of the others a new build must not be put together from an old one's.
  const files = __FILES__.map((file) => new Request(file, { cache: HASHED.test(file) ? "force-cache" : "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)));
});

// A new build waits until every tab of the old one is closed (the browser's default), so that no page finds
// half of its files gone. Then the old build's cache can go.
worker.addEventListener("activate", (event) => {
  const clean = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("archer ") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(clean());
});

worker.addEventListener("fetch", (event) => {
  event.respondWith(answer(event.request, event.clientId));
});

async function answer(request: Request, client: string): Promise<Response> {
  const elsewhere = !request.url.startsWith(worker.registration.scope);
  if (request.method !== "GET" || (elsewhere && !(await isDoor(client)))) return Response.error();
  // A part of a file, or a model that is none of this build's: the package keeps those itself.
  if (elsewhere || request.headers.has("range")) return fetch(request);
  const cache = await caches.open(CACHE);
  const known = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
  if (known) return known;
  const fetched = await fetch(request);
  if (fetched.ok && fetched.status === 200 && !/\.archer$/.test(new URL(request.url).pathname)) await cache.put(request, fetched.clone());
  return fetched;
}

/** Whether a client is the frame that fetches files whose addresses the visitor gave (door.ts). */
async function isDoor(client: string): Promise<boolean> {
  const address = (await worker.clients.get(client))?.url;
  return address === new URL("fetch.html", worker.registration.scope).href;
}
