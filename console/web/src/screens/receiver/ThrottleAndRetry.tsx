/** How fast the receiver is sent to, how long it may take, and when what it did not take is tried again. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { queryClient, useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { NumberField } from '@/design/NumberField';
import { RoleNote } from '@/design/RoleNote';
import { Select } from '@/design/Select';
import { toast } from '@/design/toasts';
import { ChangedMeanwhile } from './ChangedMeanwhile';
import { UpdateReceiverDocument } from './documents';
import { receiverKey, type Receiver } from './parts';
import { SchedulePreview } from './SchedulePreview';
import { changesOf, defaultBurst, draftOf, policyOf, type ThrottleDraft } from './throttleDraft';
import styles from './receiver.module.css';

const FIELDS = [
  'rateLimit.perSecond',
  'rateLimit.burst',
  'maxInFlight',
  'timeoutMs',
  'ordering',
  'retryPolicy.maxAttempts',
  'retryPolicy.initialDelayMs',
  'retryPolicy.multiplier',
  'retryPolicy.maxDelayMs',
] as const;

const ORDERINGS = [
  { id: 'PER_ROW', label: 'PER_ROW' },
  { id: 'NONE', label: 'NONE' },
] as const;

export function ThrottleAndRetry({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const [base, setBase] = useState(receiver);
  const [draft, setDraft] = useState(() => draftOf(receiver));
  const { may } = useRole();
  const update = useAct(UpdateReceiverDocument, {
    stale: ['receivers'],
    done: ({ updateWebhookReceiver: { webhookReceiver } }) => {
      setBase(webhookReceiver);
      setDraft(draftOf(webhookReceiver));
      toast('Throttle and retry are saved');
    },
  });
  const changes = changesOf(draftOf(base), draft);
  // What nobody is changing here follows what is stored.
  if (
    changes === null &&
    !update.isPending &&
    receiver._etag !== base._etag &&
    receiver.updatedAt >= base.updatedAt
  ) {
    setBase(receiver);
    setDraft(draftOf(receiver));
  }
  const set = (part: Partial<ThrottleDraft>): void => setDraft({ ...draft, ...part });
  const setPolicy = (part: Partial<ThrottleDraft['policy']>): void =>
    set({ policy: { ...draft.policy, ...part } });
  const loadAnew = (): void => {
    setBase(receiver);
    setDraft(draftOf(receiver));
    update.reset();
  };

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (changes === null || update.isPending) return;
    update.mutate(
      { input: { id: base.id, etag: base._etag, ...changes } },
      { onError: () => void queryClient.invalidateQueries({ queryKey: receiverKey(base.id) }) },
    );
  };
  const errors = fieldErrors(update.error);
  const locked = !may('admin');

  return (
    <form className={styles['form']} onSubmit={submit} noValidate>
      <RoleNote needs="admin" to="change its throttle and retry" />
      {!locked && <p className={styles['soft']}>An empty field has the default.</p>}
      <Card title="Throttle">
        <div className={styles['grid']}>
          <NumberField
            label="Requests per second"
            isDisabled={locked}
            description="How many may start, retries included. 0.5 is one in two seconds."
            placeholder="no limit"
            value={draft.perSecond}
            onChange={(perSecond) => set({ perSecond })}
            error={errors.of('rateLimit.perSecond')}
          />
          <NumberField
            label="Burst"
            description="How many may start at once after a pause. By default a tenth of a second’s worth."
            placeholder={draft.perSecond === null ? '' : String(defaultBurst(draft.perSecond))}
            isDisabled={locked || draft.perSecond === null}
            value={draft.perSecond === null ? null : draft.burst}
            onChange={(burst) => set({ burst })}
            error={errors.of('rateLimit.burst')}
          />
          <NumberField
            label="Requests at once"
            isDisabled={locked}
            description="Under way at the same time, 1 to 1000."
            placeholder="the deployment’s default"
            value={draft.maxInFlight}
            onChange={(maxInFlight) => set({ maxInFlight })}
            error={errors.of('maxInFlight')}
          />
          <NumberField
            label="Time limit (ms)"
            isDisabled={locked}
            description="For a whole attempt, 100 to 60000."
            placeholder="the deployment’s default"
            value={draft.timeoutMs}
            onChange={(timeoutMs) => set({ timeoutMs })}
            error={errors.of('timeoutMs')}
          />
          <Select
            label="Order"
            isDisabled={locked}
            description="PER_ROW: a row’s events go one after the other."
            options={ORDERINGS}
            value={draft.ordering}
            onChange={(ordering) => set({ ordering })}
            error={errors.of('ordering')}
          />
        </div>
      </Card>
      <Card title="Retry">
        <div className={styles['grid']}>
          <NumberField
            label="Attempts"
            isDisabled={locked}
            description="In all, the first included."
            placeholder="12"
            value={draft.policy.maxAttempts}
            onChange={(maxAttempts) => setPolicy({ maxAttempts })}
            error={errors.of('retryPolicy.maxAttempts')}
          />
          <NumberField
            label="First pause (ms)"
            isDisabled={locked}
            description="Between the first attempt and the second."
            placeholder="5000"
            value={draft.policy.initialDelayMs}
            onChange={(initialDelayMs) => setPolicy({ initialDelayMs })}
            error={errors.of('retryPolicy.initialDelayMs')}
          />
          <NumberField
            label="Multiplier"
            isDisabled={locked}
            description="Each further pause is this many times the one before."
            placeholder="4"
            value={draft.policy.multiplier}
            onChange={(multiplier) => setPolicy({ multiplier })}
            error={errors.of('retryPolicy.multiplier')}
          />
          <NumberField
            label="Longest pause (ms)"
            isDisabled={locked}
            description="No pause exceeds it, but for its spread."
            placeholder="21600000 (6 hours)"
            value={draft.policy.maxDelayMs}
            onChange={(maxDelayMs) => setPolicy({ maxDelayMs })}
            error={errors.of('retryPolicy.maxDelayMs')}
          />
        </div>
        <SchedulePreview policy={policyOf(draft)} />
      </Card>
      {update.error?.code === 'CONFLICT' ? (
        <ChangedMeanwhile receiver={receiver} onReload={loadAnew} />
      ) : (
        <FormErrors error={update.error} fields={FIELDS} />
      )}
      {!locked && (
        <div className={styles['actions']}>
          <Button type="submit" kind="primary" busy={update.isPending} isDisabled={changes === null}>
            Save
          </Button>
          {changes !== null && <Button onPress={loadAnew}>Undo changes</Button>}
        </div>
      )}
    </form>
  );
}
