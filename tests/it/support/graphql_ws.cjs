// The public npm client `graphql-ws`, driven by lines of JSON on standard input.
//
// Started by `graphql_ws.rs` with the socket's URL and the connection's parameters as JSON (or "null"),
// and further headers of the upgrade. A line in is an operation (`n`, `query`, `variables`); the line out
// holds what came of it: `results`, and `errors` or `closed` where it did not end well. With `live` each
// result has a line of its own as it comes (`next`), and a line `stop` with the operation's number ends it.

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

const running = new Map();

function tell(outcome) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { n, live, stop, ...operation } = JSON.parse(line);
  if (stop) {
    running.get(stop)();
    return;
  }
  const results = [];
  const end = client.subscribe(operation, {
    next: (result) => (live ? tell({ n, next: result }) : results.push(result)),
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
  running.set(n, end);
}).on("close", () => {
  client.dispose();
});
