// The audits of the public npm package `graphql-http` against a server: what the GraphQL-over-HTTP
// specification asks of it. Called with the URL and an API key; prints one line of JSON for each audit.

const { serverAudits } = require("graphql-http");

const [url, key] = process.argv.slice(2);

function fetchFn(input, init = {}) {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${key}`);
  return fetch(input, { ...init, headers });
}

async function run() {
  for (const audit of serverAudits({ url, fetchFn })) {
    const { id, name, status, reason } = await audit.fn();
    process.stdout.write(`${JSON.stringify({ id, name, status, reason })}\n`);
  }
}

run().catch((error) => {
  console.error(error);
  process.exit(1);
});
