/** The screen "Event": what was to be delivered, what was sent, and what each attempt came to; live. */
import { useState, type ReactNode } from 'react';
import { useParams } from 'react-router';
import { queryClient, useAct, useAsk, useLive, useRole } from '@/api';
import { Button } from '@/design/Button';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { Link } from '@/design/Link';
import { LiveNote } from '@/design/LiveNote';
import { Note } from '@/design/Note';
import { PageHeader } from '@/design/PageHeader';
import { RoleNote } from '@/design/RoleNote';
import { Skeleton } from '@/design/Skeleton';
import { StatusBadge } from '@/design/StatusBadge';
import { toast } from '@/design/toasts';
import { neighboursOf } from '@/screens/events/EventFeed';
import { Attempts } from './Attempts';
import { CancelEvent, filtersOfEvent } from './CancelEvent';
import { EventDocument, EventTouchedDocument, RedeliverEventDocument, type EventDetail } from './documents';
import { Facts } from './Facts';
import { Change, Request } from './Request';
import styles from './EventScreen.module.css';

export default function EventScreen(): ReactNode {
  const { id = '' } = useParams();
  const isId = /^\d{1,19}$/.test(id);
  const asked = useAsk(['events', 'one'], EventDocument, { id }, { enabled: isId });
  const event = asked.data?.webhookEvent;
  const { search } = neighboursOf(id);
  const back = { to: `/events${search}`, label: 'Events' };

  if (event !== undefined && event !== null) return <Shown key={id} event={event} back={back} />;
  return (
    <>
      <PageHeader title={isId ? `Event ${id}` : 'Event'} back={back} />
      {!isId && (
        <EmptyState title="There is no such event">
          The id of an event is a number; this is “{id}”.
        </EmptyState>
      )}
      {isId && asked.error !== null && (
        <ErrorState error={asked.error} onRetry={() => void asked.refetch()} />
      )}
      {isId && asked.error === null && <Skeleton lines={6} />}
    </>
  );
}

interface ShownProps {
  readonly event: EventDetail;
  readonly back: { readonly to: string; readonly label: string };
}

function Shown({ event, back }: ShownProps): ReactNode {
  const { id, status, resource, action, test, error } = event;
  const { may } = useRole();
  const [cancelling, setCancelling] = useState(false);
  const { newer, older } = neighboursOf(String(id));

  const readAnew = (): void => void queryClient.invalidateQueries({ queryKey: ['events', 'one'] });
  const live = useLive(
    EventTouchedDocument,
    { filters: filtersOfEvent(event) },
    {
      on: ({ webhookEventChanged }) => {
        if (String(webhookEventChanged.id) === String(id)) readAnew();
      },
    },
  );
  const redeliver = useAct(RedeliverEventDocument, {
    stale: ['events', 'stats', 'receivers'],
    done: () => toast(`Event ${id} is sent once more`),
  });

  return (
    <>
      <PageHeader
        title={`Event ${id}`}
        mark={
          <span role="status">
            <StatusBadge status={status} />
          </span>
        }
        description={`${resource} ${action}${test ? ', a test delivery' : ''}`}
        back={back}
        actions={
          <>
            {newer !== undefined && (
              <Link to={`/events/${newer}`} button="plain">
                Newer
              </Link>
            )}
            {older !== undefined && (
              <Link to={`/events/${older}`} button="plain">
                Older
              </Link>
            )}
            {may('operator') && (
              <>
                <Button onPress={() => setCancelling(true)} disabledReason={whyNotCancel(event)}>
                  Cancel event
                </Button>
                <Button
                  kind="primary"
                  onPress={() => redeliver.mutate({ id })}
                  busy={redeliver.isPending}
                  disabledReason={event.receiver === null ? GONE : undefined}
                >
                  Redeliver
                </Button>
              </>
            )}
          </>
        }
      />
      <div className={styles['page']}>
        <LiveNote live={live} />
        <RoleNote needs="operator" to="send it again or cancel it" />
        {redeliver.error !== null && (
          <Note kind="bad" title="It was not sent again">
            {redeliver.error.message}
          </Note>
        )}
        {error !== null && (
          <Note kind={status === 'pending' ? 'warn' : 'bad'} title="Why it is not delivered">
            {error}
          </Note>
        )}
        <Facts event={event} />
        <Change event={event} />
        <Attempts event={event} />
        <Request event={event} />
      </div>
      {cancelling && <CancelEvent event={event} onClose={() => setCancelling(false)} />}
    </>
  );
}

const GONE = 'The record of its receiver is gone: it can not be sent again.';

function whyNotCancel({ status, test }: EventDetail): string | undefined {
  if (status !== 'pending') return `Only a pending event can be cancelled; this one is ${status}.`;
  return test ? 'A test delivery is tried only once; it can not be cancelled.' : undefined;
}
