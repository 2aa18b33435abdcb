/** The form that changes a subscription, and what it does when somebody else changed it meanwhile. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useAct, useRole } from '@/api';
import type { SubscriptionSettingFragment } from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { FormErrors } from '@/design/FormErrors';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import { RoleNote } from '@/design/RoleNote';
import { toast } from '@/design/toasts';
import type { Choices } from '../subscriptions/choices';
import { UpdateSubscriptionDocument } from './documents';
import { draftOf, sameSetting, update } from './draft';
import { SETTING_FIELDS, SettingFields } from './SettingFields';
import { TryOut } from './TryOut';
import { useTryOut } from './useTryOut';
import styles from './subscription.module.css';

export interface EditSubscriptionProps {
  readonly stored: SubscriptionSettingFragment;
  readonly choices: Choices;
}

export function EditSubscription({ stored, choices }: EditSubscriptionProps): ReactNode {
  const { may } = useRole();
  const locked = !may('admin');
  // What the draft began from: its etag goes with the update.
  const [base, setBase] = useState(stored);
  const [draft, setDraft] = useState(() => draftOf(stored));
  const trying = useTryOut(draft);
  const save = useAct(UpdateSubscriptionDocument, {
    stale: ['subscriptions', 'receivers'],
    done: ({ updateWebhookSubscription: { webhookSubscription } }) => {
      setBase(webhookSubscription);
      setDraft(draftOf(webhookSubscription));
      toast('Subscription saved');
    },
  });
  const dirty = !sameSetting(draft, draftOf(base));
  const newer = Date.parse(stored.updatedAt) > Date.parse(base.updatedAt);
  const changedMeanwhile = newer && dirty && !sameSetting(draftOf(stored), draftOf(base));

  // What is stored now is taken over as long as nothing that was written here is lost by that.
  if (newer && !changedMeanwhile) {
    setBase(stored);
    if (!dirty) setDraft(draftOf(stored));
  }

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (dirty && !save.isPending) save.mutate({ input: update(base, draft) });
  };
  const restart = (from: SubscriptionSettingFragment): void => {
    setBase(from);
    save.reset();
  };

  return (
    <>
      <form onSubmit={submit}>
        <Card title="What it fires on">
          <MayNot />
          <SettingFields
            draft={draft}
            onChange={(next) => {
              setDraft(next);
              save.reset();
            }}
            choices={choices}
            error={save.error ?? trying.error}
            isDisabled={locked}
          />
          {changedMeanwhile && (
            <Note kind="warn" title="This subscription was changed meanwhile">
              <p>
                By {stored.updatedBy.name}, <RelativeTime at={stored.updatedAt} />. What you see here is
                yours.
              </p>
              <div className={styles['ways']}>
                <Button
                  size="s"
                  onPress={() => {
                    restart(stored);
                    setDraft(draftOf(stored));
                  }}
                >
                  Show what is stored
                </Button>
                <Button size="s" onPress={() => restart(stored)}>
                  Keep mine, to be saved over it
                </Button>
              </div>
            </Note>
          )}
          {save.error?.code !== 'CONFLICT' && <FormErrors error={save.error} fields={SETTING_FIELDS} />}
          {save.error?.code === 'CONFLICT' && !changedMeanwhile && (
            <Note kind="bad" title="It was not saved">
              {save.error.message}
            </Note>
          )}
          {!locked && (
            <div className={styles['actions']}>
              {dirty && <Button onPress={() => setDraft(draftOf(base))}>Undo changes</Button>}
              <Button
                type="submit"
                kind="primary"
                busy={save.isPending}
                disabledReason={dirty ? undefined : 'Nothing is changed yet.'}
              >
                Save
              </Button>
            </div>
          )}
        </Card>
      </form>
      <TryOut {...trying.tryOut} />
    </>
  );
}

/** What the role may not do with a subscription, in the words of the least that it lacks. */
function MayNot(): ReactNode {
  const { may } = useRole();
  return may('operator') ? (
    <RoleNote needs="admin" to="change or delete this subscription" />
  ) : (
    <RoleNote needs="operator" to="switch it or replay changes; changing or deleting it takes role admin" />
  );
}
