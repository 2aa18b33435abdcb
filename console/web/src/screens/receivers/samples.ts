/**
 * Programs that receive and verify deliveries, with the URI of one receiver in them. Standard Webhooks comes by the
 * public libraries; x-ion-signature is Python's own, so only Python has it in a few lines (see docs/RECEIVING.md).
 */

export interface SampleReceiver {
  readonly webhookUri: string;
  readonly contentType: string;
  readonly expectedResponseCode: number;
}

export interface Sample {
  readonly id: 'python' | 'node' | 'go' | 'rust' | 'ion';
  readonly label: string;
  /** What to run before it. */
  readonly install: string | null;
  readonly code: string;
}

interface Place {
  readonly uri: string;
  /** What the request line asks for, as a literal of all four languages. */
  readonly target: string;
  readonly port: string;
  readonly status: number;
  readonly contentType: string;
}

const PORT = '9000';

function placeOf({ webhookUri, contentType, expectedResponseCode }: SampleReceiver): Place {
  const { pathname, search, port, protocol } = new URL(webhookUri);
  return {
    uri: webhookUri,
    target: JSON.stringify(`${pathname}${search}`),
    // With https something in front of the program ends TLS.
    port: protocol === 'http:' && port !== '' ? port : PORT,
    status: expectedResponseCode,
    contentType,
  };
}

export function samplesFor(receiver: SampleReceiver): readonly Sample[] {
  const place = placeOf(receiver);
  return [
    { id: 'python', label: 'Python', install: 'pip install standardwebhooks', code: python(place) },
    { id: 'node', label: 'Node', install: 'npm install standardwebhooks', code: node(place) },
    {
      id: 'go',
      label: 'Go',
      install: 'go get github.com/standard-webhooks/standard-webhooks/libraries/go',
      code: go(place),
    },
    {
      id: 'rust',
      label: 'Rust',
      install: 'cargo add standardwebhooks axum && cargo add tokio --features full',
      code: rust(place),
    },
    { id: 'ion', label: 'x-ion-signature', install: null, code: ion(place) },
  ];
}

const PYTHON_EVENT: Readonly<Record<string, string>> = {
  form: 'json.loads(parse_qs(body.decode())["payload"][0])',
  cloudevents: 'json.loads(body)["data"]',
};

const NODE_EVENT: Readonly<Record<string, string>> = {
  form: 'JSON.parse(new URLSearchParams(String(body)).get("payload"))',
  cloudevents: 'JSON.parse(String(body)).data',
};

const python = ({ uri, target, port, status, contentType }: Place): string => `# Receives ${uri}
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
${contentType === 'form' ? 'from urllib.parse import parse_qs\n' : ''}
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path != ${target}:
            return self.answer(404)
        try:
            webhook.verify(body, dict(self.headers.items()), json_parse=False)
        except (WebhookVerificationError, ValueError):
            return self.answer(401)
        event = ${PYTHON_EVENT[contentType] ?? 'json.loads(body)'}
        print(event["event_id"], event["resource"], event["action"], flush=True)
        self.answer(${status})

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()


ThreadingHTTPServer(("", ${port}), Receiver).serve_forever()
`;

const node = ({ uri, target, port, status, contentType }: Place): string => `// Receives ${uri}
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

createServer(async (request, response) => {
  const answer = (status) => response.writeHead(status).end();
  try {
    const body = await buffer(request); // the bytes as they came
    if (request.method !== "POST" || request.url !== ${target}) return answer(404);
    try {
      webhook.verify(body, request.headers, { jsonParse: false });
    } catch {
      return answer(401);
    }
    const event = ${NODE_EVENT[contentType] ?? 'JSON.parse(String(body))'};
    console.log(event.event_id, event.resource, event.action);
    answer(${status});
  } catch (error) {
    console.error(error);
    answer(500); // it comes again later
  }
}).listen(${port});
`;

const go = ({ uri, target, port, status }: Place): string => `// Receives ${uri}
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case r.Method != http.MethodPost || r.URL.RequestURI() != ${target}:
			w.WriteHeader(http.StatusNotFound)
		case webhook.Verify(body, r.Header) != nil:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			log.Printf("%s", body)
			w.WriteHeader(${status})
		}
	}
	log.Fatal(http.ListenAndServe(":${port}", http.HandlerFunc(receive)))
}
`;

const rust = ({ uri, target, port, status }: Place): string => `// Receives ${uri}
use axum::{body::Bytes, http::{HeaderMap, Method, StatusCode, Uri}, Router};
use standardwebhooks::Webhook;

async fn receive(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    if method != Method::POST || uri != ${target} {
        return StatusCode::NOT_FOUND;
    }
    let secret = std::env::var("WEBHOOK_SECRET").expect("WEBHOOK_SECRET is set");
    let webhook = Webhook::new(&secret).expect("the secret is whsec_ and base64");
    if webhook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    println!("{}", String::from_utf8_lossy(&body));
    StatusCode::from_u16(${status}).expect("a status")
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:${port}").await.expect("the port is free");
    axum::serve(listener, Router::new().fallback(receive)).await.expect("it serves");
}
`;

const ion = ({ uri, contentType }: Place): string => `# Python 3.11, only its standard library
import base64
import hashlib
import hmac
import json
import os
${contentType === 'form' ? 'from urllib.parse import parse_qs\n' : ''}
SECRET = os.environ["WEBHOOK_SECRET"]
URI = ${JSON.stringify(uri)}  # letter by letter as it is registered


def is_genuine(headers, body):
    """headers.get() must not mind upper and lower case; body: the bytes as they came."""
    try:
        data = ${PYTHON_EVENT[contentType] ?? 'json.loads(body)'}["data"]
        params = [f"{key}:{data[key]}" for key in sorted(data) if data[key] is not None]
        signed = f"{URI}?{'&'.join(params)}".encode()
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha1).digest())
    # The second while the secret is being changed.
    given = [headers.get("x-ion-signature", ""), headers.get("x-ion-signature-previous", "")]
    return any(hmac.compare_digest(expected, signature.encode()) for signature in given)
`;
