import type { LocalClient, LocalClientError, Receipt } from "@starling/local-client/web-socket";
import { useState } from "preact/hooks";
import { milliseconds } from "./format.ts";

type Outcome =
  | { readonly state: "none" | "sending" }
  | { readonly state: "receipt"; readonly receipt: Receipt }
  | { readonly state: "failed"; readonly code: string; readonly message: string };

type Props = {
  readonly client: LocalClient | undefined;
  readonly to: string;
  readonly onTo: (to: string) => void;
};

const PATHS = {
  channel: "over a direct channel",
  session: "over a session with the recipient",
  relayed: "over relays",
};

export function SendBox({ client, to, onTo }: Props) {
  const [text, setText] = useState("");
  const [outcome, setOutcome] = useState<Outcome>({ state: "none" });
  const isId = /^[0-9a-f]{64}$/.test(to);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (client === undefined || !isId) return;
    setOutcome({ state: "sending" });
    try {
      const receipt = await client.submit({ to, content: new TextEncoder().encode(text) });
      setOutcome({ state: "receipt", receipt });
      setText("");
    } catch (error) {
      const { code, message } = error as LocalClientError;
      setOutcome({ state: "failed", code, message });
    }
  };
  return (
    <form class="panel send" onSubmit={send} aria-label="Send a message">
      <h2>Send a message</h2>
      <label>
        To
        <input
          value={to}
          onInput={({ currentTarget }) => onTo(currentTarget.value.trim())}
          placeholder="64 hexadecimal digits, or choose a peer"
          spellcheck={false}
          autocomplete="off"
          aria-invalid={to !== "" && !isId}
        />
      </label>
      <label>
        Text
        <textarea rows={2} value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
      </label>
      <div class="line">
        <button type="submit" disabled={client === undefined || !isId || outcome.state === "sending"}>
          {outcome.state === "sending" ? "Sending…" : "Send"}
        </button>
        <output aria-live="polite">{wordsOf(outcome)}</output>
      </div>
    </form>
  );
}

function wordsOf(outcome: Outcome): string {
  if (outcome.state === "receipt") {
    const { path, hops, elapsedMs } = outcome.receipt;
    return `Written by the recipient's node in ${milliseconds(elapsedMs)}, ${PATHS[path]}, ${hops} ${hops === 1 ? "link" : "links"}.`;
  }
  return outcome.state === "failed" ? `${outcome.code}: ${outcome.message}` : "";
}
