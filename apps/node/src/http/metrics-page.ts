import type { IncomingMessage, ServerResponse } from "node:http";
import { tokenCheck } from "@starling/local-client/server";
import { send } from "./send.ts";

// `/metrics`, for Prometheus. The dashboard's files are the same for everybody; this tells how much this user sends and receives, and
// when, and any other user of this machine can open a loopback port. So it wants what the WebSocket wants, the token of a file that
// only this user can read: as a Bearer, which Prometheus reads out of that very file (`credentials_file`), and never in the address,
// which histories and logs keep. No list of Origins: a page has no token, and no header here lets one from elsewhere read an answer.

export type MetricsPageOptions = {
  readonly token: string;
  readonly scrape: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** A scrape that failed, for the log. */
  readonly onFault: (error: unknown) => void;
};

export type MetricsPage = {
  answer(request: IncomingMessage, response: ServerResponse): void;
};

export function metricsPage({ token, scrape, onFault }: MetricsPageOptions): MetricsPage {
  const isToken = tokenCheck(token);
  return {
    answer(request, response) {
      if (!isToken(bearerOf(request))) {
        response.setHeader("www-authenticate", "Bearer");
        send(
          response,
          401,
          "this wants the token in http-token of the node's data directory, as Authorization: Bearer\n",
        );
        return;
      }
      scrape().then(
        ({ text, contentType }) => send(response, 200, text, contentType),
        (error) => {
          onFault(error);
          send(response, 500, "the metrics could not be read; the log says why\n");
        },
      );
    },
  };
}

function bearerOf({ headers }: IncomingMessage): string {
  const [scheme = "", shown = ""] = (headers.authorization ?? "").split(" ");
  return scheme.toLowerCase() === "bearer" ? shown : "";
}
