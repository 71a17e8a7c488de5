// The script of the sandboxed frame: starts the worker that a visitor's code runs in, and hands it the way to the page.
addEventListener("message", ({ data, ports: [port] }) => {
  const url = URL.createObjectURL(new Blob([data], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "world" });
  worker.onerror = ({ message, lineno, colno }) => {
    parent.postMessage({ message: message ?? "", line: lineno ?? 0, column: colno ?? 0 }, "*");
  };
  worker.postMessage(null, [port]);
});
