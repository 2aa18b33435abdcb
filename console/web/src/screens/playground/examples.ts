/** Operations to begin with. A test checks each against the published schema. */
export interface Example {
  readonly id: string;
  readonly label: string;
  readonly query: string;
  readonly variables?: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    id: 'figures',
    label: 'Figures of all deliveries',
    query: `query Figures {
  webhookStats {
    pending
    oldestPendingSeconds
    deliveredPerSecond
    failedPerSecond
    successRate
    latencyMs {
      p50
      p99
    }
    captureLagSeconds
  }
}
`,
  },
  {
    id: 'failed',
    label: 'Failed events, with their attempts',
    query: `query FailedEvents {
  webhookEventConnection(first: 20, filters: { status: "failed" }) {
    edges {
      node {
        id
        resource
        action
        rowId
        error
        receiver {
          name
        }
        deliveryAttempts {
          startedAt
          responseStatus
          error
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  },
  {
    id: 'receiver',
    label: 'A receiver with its subscriptions',
    query: `query Receiver($id: Int!) {
  webhookReceiver(id: $id) {
    name
    webhookUri
    active
    health
    subscriptions {
      id
      resource
      action
      changedFields
      filter
      active
    }
  }
}
`,
    variables: `{
  "id": 1
}
`,
  },
  {
    id: 'redeliver',
    label: 'Redeliver an event',
    query: `mutation Redeliver($id: BigInt!) {
  redeliverWebhookEvent(id: $id) {
    webhookEvent {
      id
      status
      nextAttemptAt
    }
  }
}
`,
    variables: `{
  "id": 1
}
`,
  },
  {
    id: 'live',
    label: 'Watch events live',
    query: `subscription Live {
  webhookEventChanged {
    id
    status
    resource
    action
    rowId
    attemptCount
    error
  }
}
`,
  },
];
