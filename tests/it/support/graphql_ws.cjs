// The public npm client `graphql-ws`, driven by lines of JSON on standard input.
//
// Started by `graphql_ws.rs` with the socket's URL and the connection's parameters as JSON (or "null"),
// and further headers of the upgrade. A line in is an operation (`query`, `variables`); the line out
// holds what came of it: `results`, and `errors` or `closed` where it did not end well.

const { createClient } = require("graphql-ws");
const { WebSocket } = require("ws");
const { createInterface } = require("node:readline");

const [url, parameters, headers] = process.argv.slice(2);

class Socket extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: JSON.parse(headers) });
  }
}

const client = createClient({
  url,
  webSocketImpl: Socket,
  connectionParams: JSON.parse(parameters) ?? undefined,
  retryAttempts: 0,
  // Beside what the server does: pings of the protocol, each of which must be answered in time.
  keepAlive: 50,
});

function tell(outcome) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { n, ...operation } = JSON.parse(line);
  const results = [];
  client.subscribe(operation, {
    next: (result) => results.push(result),
    error: (error) => {
      if (Array.isArray(error)) {
        tell({ n, results, errors: error });
      } else {
        const reason = error.reason ?? error.message ?? String(error);
        tell({ n, results, closed: { code: error.code, reason } });
      }
    },
    complete: () => tell({ n, results }),
  });
}).on("close", () => {
  client.dispose();
});
