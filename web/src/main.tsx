// The page begins: styles, the frame, the agent, and what makes it work offline.
import { render } from "preact";
import * as agent from "./agent";
import { App } from "./app";
import { readKept } from "./kept";
import { giveWay } from "./learn/run";
import { enter } from "./tabs";
import "./style/base.css";
import "./style/layout.css";

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
// What stands there speaks only where no script could begin.
root.replaceChildren();
render(<App />, root);

await enter((how) => {
  if (how === "began") return;
  // What this tab may have been learning as a guest is not what is kept.
  giveWay();
  // Who takes over goes on with the other tab's game; who inherits is in the middle of one of their own.
  readKept(how === "took" ? "all" : "shared");
  void agent.readAgain();
});
await agent.begin();

// After the agent has arrived, so that the first visit's downloads do not compete with it.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("./sw.js");
}
