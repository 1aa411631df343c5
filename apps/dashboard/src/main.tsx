import { render } from "preact";
import { App } from "./app.tsx";
import { Network } from "./network.ts";
import { takeToken } from "./token.ts";

const root = document.getElementById("app");
if (root !== null) {
  const network = new Network();
  render(<App network={network} />, root);
  void network.run({ url: `ws://${location.host}/lpc`, token: takeToken(location, sessionStorage, history) });
}
