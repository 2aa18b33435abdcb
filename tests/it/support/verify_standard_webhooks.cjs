// Verifies deliveries from standard input with the public Node package `standardwebhooks`.
//
// Started by `tests/it/signatures.rs`; the lines in and out are those of `verify_standard_webhooks.py`.

const { Webhook, WebhookVerificationError } = require("standardwebhooks");
const { readFileSync } = require("node:fs");

function verdict(secret, identifier, timestamp, signature, body) {
  const webhook = new Webhook(secret);
  try {
    webhook.verify(body, {
      "webhook-id": identifier,
      "webhook-timestamp": timestamp,
      "webhook-signature": signature,
    });
  } catch (error) {
    if (error instanceof WebhookVerificationError) {
      return "refused";
    }
    throw error;
  }
  return `verified ${webhook.sign(identifier, new Date(Number(timestamp) * 1000), body)}`;
}

const received = readFileSync(0);
const verdicts = [];
let at = 0;
while (at < received.length) {
  const end = received.indexOf("\n", at);
  const fields = received.toString("utf8", at, end).split("\t");
  const length = Number(fields.pop());
  at = end + 1 + length;
  verdicts.push(`${verdict(...fields, received.subarray(end + 1, at))}\n`);
}
process.stdout.write(verdicts.join(""));
