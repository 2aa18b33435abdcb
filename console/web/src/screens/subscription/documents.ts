/** What the screen of one subscription asks and does. */
import { graphql } from '@/api';

export const SubscriptionDocument = graphql(`
  query Subscription($id: Int!) {
    webhookSubscription(id: $id) {
      ...SubscriptionSetting
      receiver {
        id
        name
        active
      }
      events(limit: 10) {
        id
        sequence
        status
        rowId
        occurredAt
        attemptCount
        error
      }
      createdAt
      createdBy {
        name
      }
    }
  }

  fragment SubscriptionSetting on WebhookSubscription {
    id
    resource
    action
    active
    changedFields
    filter
    receiverId
    updatedAt
    updatedBy {
      name
    }
    _etag
  }
`);

export const CreateSubscriptionDocument = graphql(`
  mutation CreateSubscription($input: CreateWebhookSubscriptionInput!) {
    createWebhookSubscription(input: $input) {
      webhookSubscription {
        id
      }
    }
  }
`);

export const UpdateSubscriptionDocument = graphql(`
  mutation UpdateSubscription($input: UpdateWebhookSubscriptionInput!) {
    updateWebhookSubscription(input: $input) {
      webhookSubscription {
        ...SubscriptionSetting
      }
    }
  }
`);

export const DeleteSubscriptionDocument = graphql(`
  mutation DeleteSubscription($input: DeleteWebhookSubscriptionInput!) {
    deleteWebhookSubscription(input: $input) {
      webhookSubscription {
        id
      }
    }
  }
`);

export const TryFilterDocument = graphql(`
  query TryFilter($input: TestWebhookFilterInput!) {
    testWebhookFilter(input: $input) {
      changeCount
      firesCount
      failedCount
      examined
      complete
      changes {
        changeId
        occurredAt
        rowId
        old
        new
        fires
        reason
      }
    }
  }
`);
