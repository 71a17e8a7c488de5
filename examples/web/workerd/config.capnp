using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "game", worker = .game)],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "game")],
);

const game :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "main", esModule = embed "dist/main.js"),
    (name = "archer-cpu_bg.wasm", wasm = embed "dist/archer-cpu_bg.wasm"),
    (name = "quickstart.archer", data = embed "dist/quickstart.archer"),
  ],
);
