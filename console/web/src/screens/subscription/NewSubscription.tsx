/** The form that makes a subscription. `?receiver=ID` chooses the receiver. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { Checkbox } from '@/design/Checkbox';
import { ComboBox } from '@/design/ComboBox';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { Link } from '@/design/Link';
import { PageHeader } from '@/design/PageHeader';
import { RoleGate } from '@/design/RoleGate';
import { toast } from '@/design/toasts';
import type { Choices } from '../subscriptions/choices';
import { CreateSubscriptionDocument } from './documents';
import { creation, newDraft } from './draft';
import { SETTING_FIELDS, SettingFields } from './SettingFields';
import { TryOut } from './TryOut';
import { useTryOut } from './useTryOut';
import styles from './subscription.module.css';

export function NewSubscription({ choices }: { readonly choices: Choices }): ReactNode {
  return (
    <>
      <PageHeader
        title="New subscription"
        back={{ to: '/subscriptions', label: 'Subscriptions' }}
        description="Changes that commit after it is made are delivered to its receiver."
      />
      <RoleGate needs="admin" to="make subscriptions">
        <Form choices={choices} />
      </RoleGate>
    </>
  );
}

function Form({ choices }: { readonly choices: Choices }): ReactNode {
  const [address] = useSearchParams();
  const navigate = useNavigate();
  const { whyNot } = useRole();
  const [draft, setDraft] = useState(() => newDraft(idOf(address.get('receiver'))));
  const [active, setActive] = useState(true);
  const trying = useTryOut(draft);
  const create = useAct(CreateSubscriptionDocument, {
    stale: ['subscriptions', 'receivers'],
    done: ({ createWebhookSubscription: { webhookSubscription } }) => {
      toast('Subscription created');
      void navigate(`/subscriptions/${webhookSubscription.id}`);
    },
  });
  const input = creation(draft, active);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (input !== null && !create.isPending) create.mutate({ input });
  };

  if (choices.receiverOptions.length === 0) {
    return (
      <Card>
        <p>There is no receiver yet that changes could go to.</p>
        <p>
          <Link to="/receivers">Go to the receivers</Link> and make one first.
        </p>
      </Card>
    );
  }
  const missing = draft.receiverId === null ? 'Choose a receiver first.' : 'Choose a resource first.';
  return (
    <div className={styles['page']}>
      <form className={styles['form']} onSubmit={submit}>
        <Card>
          <ComboBox
            label="Receiver"
            isRequired
            options={choices.receiverOptions}
            value={draft.receiverId === null ? null : `${draft.receiverId}`}
            onChange={(id) => setDraft({ ...draft, receiverId: idOf(id) })}
            placeholder="Type to find a receiver"
            error={fieldErrors(create.error).of('receiverId')}
          />
          <SettingFields
            draft={draft}
            onChange={(next) => {
              setDraft(next);
              create.reset();
            }}
            choices={choices}
            error={create.error ?? trying.error}
            isDisabled={false}
          />
          <Checkbox isSelected={active} onChange={setActive}>
            Active: it gets events as soon as it is made
          </Checkbox>
          <FormErrors error={create.error} fields={['receiverId', ...SETTING_FIELDS]} />
          <div className={styles['actions']}>
            <Link to="/subscriptions" button="plain">
              Cancel
            </Link>
            <Button
              type="submit"
              kind="primary"
              busy={create.isPending}
              disabledReason={whyNot('admin') ?? (input === null ? missing : undefined)}
            >
              Create subscription
            </Button>
          </div>
        </Card>
      </form>
      <TryOut {...trying.tryOut} />
    </div>
  );
}

function idOf(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
