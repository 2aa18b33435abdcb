/** What the screen of changes and capture asks of the API; the overview shows a part of it. */
import { graphql } from '@/api';

export const CAPTURE_EVERY_MS = 5_000;

export const CaptureDocument = graphql(`
  query Capture {
    webhookCapture {
      watermark
      fannedOutAt
      lagSeconds
      poller
      oldestOpenTransaction {
        pid
        since
        applicationName
        preparedAs
      }
      reconciliation {
        ranAt
        changes
        eventsOwed
        eventsFound
        eventsChecked
        differences
        examples
      }
      resources {
        resource
        table
        triggers
        advice
        lookedAt
        note
        notedAt
      }
    }
  }
`);

export const CatalogueDocument = graphql(`
  query Catalogue {
    webhookResources {
      name
      table
      key
      columns
      aliases
    }
  }
`);

export const ReplaySubscriptionsDocument = graphql(`
  query ReplaySubscriptions {
    webhookSubscriptions(first: 1000, filters: { active: true }) {
      edges {
        node {
          id
          resource
          action
          receiver {
            name
            active
          }
        }
      }
      pageInfo {
        totalCount
      }
    }
  }
`);

export const ReplayDocument = graphql(`
  mutation ReplayChanges($input: ReplayWebhookChangesInput!) {
    replayWebhookChanges(input: $input) {
      count
    }
  }
`);

export const DoctorDocument = graphql(`
  query Doctor {
    webhookDoctor {
      severity
      area
      title
      place
      summary
      mend
    }
  }
`);
