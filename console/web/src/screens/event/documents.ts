/** What the page of an event asks of the API. */
import { graphql } from '@/api';
import type { EventQuery } from '@/api/generated/graphql';

export const EventDocument = graphql(`
  query Event($id: BigInt!) {
    webhookEvent(id: $id) {
      id
      sequence
      test
      status
      resource
      action
      occurredAt
      createdAt
      nextAttemptAt
      transactionId
      rowId
      subscriptionId
      subscription {
        id
        resource
        action
      }
      receiver {
        id
        name
        active
      }
      requestData
      requestHeaders {
        name
        value
      }
      signedText
      attemptCount
      error
      deliveryAttempts {
        ...AttemptParts
      }
    }
  }

  fragment AttemptParts on WebhookDeliveryAttempt {
    number
    startedAt
    durationMs
    responseStatus
    responseHeaders
    responseData
    error
  }
`);

/** Tells only that the event has changed: it is read anew then. */
export const EventTouchedDocument = graphql(`
  subscription EventTouched($filters: WebhookEventFilters!) {
    webhookEventChanged(filters: $filters) {
      id
    }
  }
`);

export const RedeliverEventDocument = graphql(`
  mutation RedeliverEvent($id: BigInt!) {
    redeliverWebhookEvent(id: $id) {
      webhookEvent {
        id
        status
      }
    }
  }
`);

export type EventDetail = NonNullable<EventQuery['webhookEvent']>;
export type Attempt = EventDetail['deliveryAttempts'][number];
