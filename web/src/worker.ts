// The worker that computes, made so that it is as confined as the page. A worker takes over the page's
// Content-Security-Policy only if its script has a local address; from an ordinary one it would have
// none, for this page is served without headers. So a blob of one line imports the package's worker.
import address from "archer-web/worker?worker&url";

/** A fresh worker that runs `archer-web/worker` and can reach nothing but this page's own files. */
export function confinedWorker(): Worker {
  const script = `import ${JSON.stringify(new URL(address, import.meta.url).href)};`;
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(url, { type: "module", name: "archer" });
}
