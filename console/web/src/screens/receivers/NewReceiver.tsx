/** Makes a receiver: its fields, then its secret, once, with code to verify what it will get. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useNavigate } from 'react-router';
import { useAct, useRole } from '@/api';
import type { CreateReceiverMutation } from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { Link } from '@/design/Link';
import { NumberField } from '@/design/NumberField';
import { PageHeader } from '@/design/PageHeader';
import { RoleGate } from '@/design/RoleGate';
import { CreateReceiverDocument } from './documents';
import { DRAFT_FIELDS, isComplete, ReceiverFields, type ReceiverDraft } from './ReceiverFields';
import { SecretOnce } from './SecretOnce';
import { VerifyCode } from './VerifyCode';
import styles from './receivers.module.css';

type Made = CreateReceiverMutation['createWebhookReceiver']['webhookReceiver'];

const EMPTY: ReceiverDraft = {
  name: '',
  webhookUri: '',
  description: '',
  contentType: 'json',
  expectedResponseCode: null,
};

export default function NewReceiver(): ReactNode {
  const [made, setMade] = useState<Made | null>(null);
  return (
    <>
      <PageHeader
        title={made === null ? 'New receiver' : `${made.name} is registered`}
        back={{ to: '/receivers', label: 'Receivers' }}
        description={
          made === null
            ? 'An endpoint that committed changes are posted to. What it is told of, its subscriptions say.'
            : undefined
        }
      />
      <RoleGate needs="admin" to="make receivers">
        {made === null ? <MakeIt onMade={setMade} /> : <ItsSecret receiver={made} />}
      </RoleGate>
    </>
  );
}

function MakeIt({ onMade }: { readonly onMade: (made: Made) => void }): ReactNode {
  const [draft, setDraft] = useState(EMPTY);
  const [perSecond, setPerSecond] = useState<number | null>(null);
  const [burst, setBurst] = useState<number | null>(null);
  const [tried, setTried] = useState(false);
  const { whyNot } = useRole();
  const create = useAct(CreateReceiverDocument, {
    stale: ['receivers'],
    done: ({ createWebhookReceiver }) => onMade(createWebhookReceiver.webhookReceiver),
  });
  const errors = fieldErrors(create.error);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setTried(true);
    if (!isComplete(draft) || create.isPending) return;
    create.mutate({
      input: {
        name: draft.name.trim(),
        webhookUri: draft.webhookUri,
        contentType: draft.contentType,
        description: draft.description.trim() === '' ? null : draft.description,
        expectedResponseCode: draft.expectedResponseCode,
        rateLimit: perSecond === null ? null : { perSecond, burst },
      },
    });
  };

  return (
    <form className={styles['form']} onSubmit={submit} noValidate>
      <Card title="Receiver">
        <ReceiverFields
          draft={draft}
          onChange={(part) => setDraft({ ...draft, ...part })}
          errors={errors}
          tried={tried}
        />
      </Card>
      <Card title="Throttle">
        <p className={styles['soft']}>
          How often requests to it may start. Empty: as often as there are events. It can be changed at any
          time.
        </p>
        <div className={styles['pair']}>
          <NumberField
            label="Requests per second"
            description="May be a fraction: 0.5 is one in two seconds."
            placeholder="no limit"
            value={perSecond}
            onChange={setPerSecond}
            error={errors.of('rateLimit.perSecond')}
          />
          <NumberField
            label="Burst"
            description="How many may start at once after a pause."
            placeholder="a tenth of a second's worth"
            isDisabled={perSecond === null}
            value={burst}
            onChange={setBurst}
            error={errors.of('rateLimit.burst')}
          />
        </div>
      </Card>
      <FormErrors error={create.error} fields={[...DRAFT_FIELDS, 'rateLimit.perSecond', 'rateLimit.burst']} />
      <div className={styles['actions']}>
        <Button type="submit" kind="primary" busy={create.isPending} disabledReason={whyNot('admin')}>
          Create receiver
        </Button>
        <Link to="/receivers" button="plain">
          Cancel
        </Link>
      </div>
    </form>
  );
}

function ItsSecret({ receiver }: { readonly receiver: Made }): ReactNode {
  const navigate = useNavigate();
  return (
    <Card title="Its shared secret">
      <SecretOnce
        secret={receiver.sharedSecret ?? ''}
        onKept={() => void navigate(`/receivers/${receiver.id}/subscriptions`)}
      >
        <h3>Code to verify a delivery</h3>
        <VerifyCode receiver={receiver} />
      </SecretOnce>
    </Card>
  );
}
