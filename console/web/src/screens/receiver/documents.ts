/** What the page of one receiver asks for. */
import { graphql } from '@/api';

export const ReceiverDocument = graphql(`
  query Receiver($id: Int!) {
    webhookReceiver(id: $id) {
      ...ReceiverParts
    }
  }

  fragment ReceiverParts on WebhookReceiver {
    id
    name
    description
    webhookUri
    contentType
    expectedResponseCode
    active
    inactiveReason
    instance
    health
    healthDetails {
      reason
      since
      failures
      failingSince
      lastError
      nextProbeAt
    }
    rateLimit {
      perSecond
      burst
    }
    maxInFlight
    timeoutMs
    retryPolicy {
      maxAttempts
      initialDelayMs
      multiplier
      maxDelayMs
    }
    ordering
    clientCertificate {
      subject
      issuer
      validUntil
    }
    subscriptions {
      id
      resource
      action
      active
      changedFields
      filter
    }
    headers {
      id
      key
      value
      _etag
    }
    stats {
      ...StatsParts
    }
    createdBy {
      name
    }
    createdAt
    updatedBy {
      name
    }
    updatedAt
    _etag
  }

  fragment StatsParts on WebhookStats {
    pending
    oldestPendingSeconds
    deliveredPerSecond
    failedPerSecond
    successRate
    latencyMs {
      p50
      p99
    }
  }
`);

export const ReceiverStatsChangedDocument = graphql(`
  subscription ReceiverStatsChanged($receiverId: Int) {
    webhookStatsChanged(receiverId: $receiverId) {
      ...StatsParts
    }
  }
`);

export const ReceiverEventsDocument = graphql(`
  query ReceiverEvents($filters: WebhookEventFilters, $limit: Int) {
    webhookEvents(filters: $filters, limit: $limit) {
      ...EventParts
    }
  }

  fragment EventParts on WebhookEvent {
    id
    test
    status
    resource
    action
    rowId
    occurredAt
    attemptCount
    nextAttemptAt
    responseStatus
    error
  }
`);

export const ReceiverFailuresDocument = graphql(`
  query ReceiverFailures($failed: WebhookEventFilters, $waiting: WebhookEventFilters) {
    failed: webhookEvents(filters: $failed, limit: 5) {
      ...EventParts
    }
    waiting: webhookEventConnection(filters: $waiting, first: 20, sort: { direction: ASC }) {
      edges {
        node {
          ...EventParts
        }
      }
    }
  }
`);

export const UpdateReceiverDocument = graphql(`
  mutation UpdateReceiver($input: UpdateWebhookReceiverInput!) {
    updateWebhookReceiver(input: $input) {
      webhookReceiver {
        ...ReceiverParts
      }
    }
  }
`);

export const DeleteReceiverDocument = graphql(`
  mutation DeleteReceiver($input: DeleteWebhookReceiverInput!) {
    deleteWebhookReceiver(input: $input) {
      webhookReceiver {
        id
      }
    }
  }
`);

export const ResourcesDocument = graphql(`
  query ReceiverResources {
    webhookResources {
      name
      table
    }
  }
`);

export const AddSubscriptionDocument = graphql(`
  mutation AddSubscription($input: CreateWebhookSubscriptionInput!) {
    createWebhookSubscription(input: $input) {
      webhookSubscription {
        id
      }
    }
  }
`);

export const AddHeaderDocument = graphql(`
  mutation AddHeader($input: AddHeaderToWebhookReceiverInput!) {
    addHeaderToWebhookReceiver(input: $input) {
      webhookHeader {
        id
      }
    }
  }
`);

export const UpdateHeaderDocument = graphql(`
  mutation UpdateHeader($input: UpdateWebhookHeaderInput!) {
    updateWebhookHeader(input: $input) {
      webhookHeader {
        id
      }
    }
  }
`);

export const RemoveHeaderDocument = graphql(`
  mutation RemoveHeader($input: RemoveHeaderFromWebhookReceiverInput!) {
    removeHeaderFromWebhookReceiver(input: $input) {
      webhookHeader {
        id
      }
    }
  }
`);

export const RotateSecretDocument = graphql(`
  mutation RotateSecret($input: RotateWebhookReceiverSecretInput!) {
    rotateWebhookReceiverSecret(input: $input) {
      webhookReceiver {
        id
        sharedSecret
      }
    }
  }
`);

export const SendTestDocument = graphql(`
  mutation SendTest($input: SendTestWebhookInput!) {
    sendTestWebhook(input: $input) {
      webhookEvent {
        id
      }
    }
  }
`);

export const TestEventDocument = graphql(`
  query TestEvent($id: BigInt!) {
    webhookEvent(id: $id) {
      id
      status
      error
      responseStatus
      responseData
      requestData
      deliveryAttempts {
        ...AttemptParts
      }
    }
  }
`);
