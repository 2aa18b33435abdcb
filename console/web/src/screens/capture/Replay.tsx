/** Replays history into a subscription: first a count, then on confirmation the events. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useSearchParams } from 'react-router';
import { useAct, useAsk, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ComboBox } from '@/design/ComboBox';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { ErrorNote } from '@/design/ErrorNote';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { Link } from '@/design/Link';
import { RoleNote } from '@/design/RoleNote';
import { TextField } from '@/design/TextField';
import { toast } from '@/design/toasts';
import { ReplayDocument, ReplaySubscriptionsDocument } from './documents';
import { NOTHING, problemsOf, replayInput, type ReplayFields } from './replayInput';
import styles from './capture.module.css';

const FIELDS = ['subscriptionId', 'from', 'to', 'fromSequence', 'toSequence', 'rowId'];

const eventCount = (count: number | string): string => (Number(count) === 1 ? '1 event' : `${count} events`);

export function Replay(): ReactNode {
  const { may } = useRole();
  return (
    <Card title="Replay history into a subscription">
      <p className={styles['soft']}>
        Makes events out of the changes that are kept: for a new subscriber, or to fill a gap. They have new
        ids and new sequence numbers. Changes are matched by the subscription&apos;s present setting.
      </p>
      <RoleNote needs="operator" to="replay them" />
      {may('operator') && <Form />}
    </Card>
  );
}

function Form(): ReactNode {
  const [parameters] = useSearchParams();
  const [fields, setFields] = useState<ReplayFields>({
    ...NOTHING,
    subscription: parameters.get('subscription'),
  });
  const [isTried, setTried] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const subscriptions = useAsk(['subscriptions', 'replay'], ReplaySubscriptionsDocument, {});
  const count = useAct(ReplayDocument);
  const replay = useAct(ReplayDocument, {
    stale: ['events', 'stats'],
    done: ({ replayWebhookChanges }) => {
      setConfirming(false);
      count.reset();
      toast(`${eventCount(replayWebhookChanges.count)} made; delivered like any others`);
    },
  });

  const change = (changed: Partial<ReplayFields>): void => {
    setFields({ ...fields, ...changed });
    // A count is of the changes that were asked for, and of no others.
    count.reset();
  };
  const problems = problemsOf(fields);
  const refused = fieldErrors(count.error);
  const problem = (field: keyof ReplayFields, path: string = field): string | undefined =>
    refused.of(path) ?? (isTried ? problems[field] : undefined);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setTried(true);
    const input = replayInput(fields, true);
    if (input !== undefined && Object.keys(problems).length === 0 && !count.isPending)
      count.mutate({ input });
  };

  const options = (subscriptions.data?.webhookSubscriptions.edges ?? []).map(({ node }) => ({
    id: String(node.id),
    label: `${node.receiver.name}: ${node.resource} ${node.action} (${node.id})`,
  }));
  const chosen = options.find(({ id }) => id === fields.subscription)?.label ?? 'the subscription';
  const found = count.data?.replayWebhookChanges.count;

  return (
    <>
      <ErrorNote error={subscriptions.error} />
      {subscriptions.data !== undefined && options.length === 0 && (
        <p>
          There is no active subscription to replay into. Make one among the{' '}
          <Link to="/subscriptions">subscriptions</Link>.
        </p>
      )}
      <form className={styles['form']} onSubmit={submit}>
        {subscriptions.data !== undefined && (
          <ComboBox
            label="Subscription"
            options={options}
            value={fields.subscription}
            onChange={(subscription) => change({ subscription })}
            placeholder="Type a receiver's name or a resource"
            error={
              refused.of('subscriptionId') ??
              (isTried && fields.subscription === null ? 'Choose a subscription' : undefined)
            }
          />
        )}
        <div className={styles['fields']}>
          <TextField
            label="From"
            type="datetime-local"
            description="In this browser's time zone."
            value={fields.from}
            onChange={(from) => change({ from })}
            error={problem('from')}
          />
          <TextField
            label="Until before"
            type="datetime-local"
            description="In this browser's time zone."
            value={fields.to}
            onChange={(to) => change({ to })}
            error={problem('to')}
          />
          <TextField
            label="From sequence number"
            description="The first number of a gap."
            value={fields.fromSequence}
            onChange={(fromSequence) => change({ fromSequence })}
            error={problem('fromSequence')}
          />
          <TextField
            label="To sequence number"
            description="The last number of a gap."
            value={fields.toSequence}
            onChange={(toSequence) => change({ toSequence })}
            error={problem('toSequence')}
          />
          <TextField
            label="Row id"
            description="Only changes of this row, as rowId of an event reads."
            mono
            value={fields.rowId}
            onChange={(rowId) => change({ rowId })}
            error={problem('rowId')}
          />
        </div>
        {isTried && problems.all !== undefined && <p role="alert">{problems.all}</p>}
        <FormErrors error={count.error} fields={FIELDS} />
        <div className={styles['actions']}>
          <Button type="submit" busy={count.isPending}>
            Count the changes
          </Button>
          {found !== undefined && (
            <span role="status">
              {Number(found) === 0
                ? 'No kept change matches: nothing would be made.'
                : `${found} ${Number(found) === 1 ? 'change matches' : 'changes match'}.`}
            </span>
          )}
          {found !== undefined && Number(found) > 0 && (
            <Button kind="primary" onPress={() => setConfirming(true)}>
              Replay them
            </Button>
          )}
        </div>
      </form>
      <ConfirmDialog
        title="Replay changes"
        isOpen={confirming}
        onClose={() => {
          setConfirming(false);
          replay.reset();
        }}
        onConfirm={() => {
          const input = replayInput(fields, false);
          if (input !== undefined) replay.mutate({ input });
        }}
        action={`Make ${eventCount(found ?? 0)}`}
        danger={false}
        busy={replay.isPending}
        error={replay.error}
      >
        <p>
          {chosen} gets {eventCount(found ?? 0)}, delivered within its throttle. The receiver may have got the
          same changes before, under other event ids.
        </p>
      </ConfirmDialog>
    </>
  );
}
