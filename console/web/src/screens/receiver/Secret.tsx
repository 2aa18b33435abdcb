/** Gives the receiver a new secret, shown once, while the old one goes on signing for an overlap. */
import { useState, type ReactNode } from 'react';
import { useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { Dialog } from '@/design/Dialog';
import { NumberField } from '@/design/NumberField';
import { RoleNote } from '@/design/RoleNote';
import { Select } from '@/design/Select';
import { duration } from '@/design/time';
import { SecretOnce } from '../receivers/SecretOnce';
import { VerifyCode } from '../receivers/VerifyCode';
import { ClientCertificate } from './ClientCertificate';
import { RotateSecretDocument } from './documents';
import type { Receiver } from './parts';
import styles from './receiver.module.css';

const UNITS = [
  { id: 'minutes', label: 'minutes', seconds: 60 },
  { id: 'hours', label: 'hours', seconds: 3_600 },
  { id: 'days', label: 'days', seconds: 86_400 },
] as const;
const LONGEST_SECONDS = 2_592_000;

export function Secret({ receiver }: { readonly receiver: Receiver }): ReactNode {
  return (
    <div className={styles['stack']}>
      <Rotation receiver={receiver} />
      <ClientCertificate receiver={receiver} />
      <Card title="Code to verify a delivery">
        <VerifyCode receiver={receiver} />
      </Card>
    </div>
  );
}

function Rotation({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const [amount, setAmount] = useState<number | null>(1);
  const [unitId, setUnitId] = useState<(typeof UNITS)[number]['id']>('days');
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const { may } = useRole();
  const rotate = useAct(RotateSecretDocument, {
    stale: ['receivers'],
    done: ({ rotateWebhookReceiverSecret: { webhookReceiver } }) => {
      setAsking(false);
      setSecret(webhookReceiver.sharedSecret);
    },
  });
  const unit = UNITS.find(({ id }) => id === unitId) ?? UNITS[2];
  const overlapSeconds = Math.round((amount ?? 1) * unit.seconds);
  const tooLong = overlapSeconds > LONGEST_SECONDS || overlapSeconds < 0;

  return (
    <Card title="Shared secret">
      <p>
        The key that deliveries are signed with. It was shown when the receiver was made and is never shown
        again. A new one takes its place at once; for the overlap deliveries carry the signatures of both, so
        that the receiver can be given the new one in that time.
      </p>
      <RoleNote needs="admin" to="rotate it" />
      {may('admin') && (
        <>
          <div className={styles['grid']}>
            <NumberField
              label="Overlap"
              description="How long the old secret goes on signing too. 0: not at all."
              placeholder="1"
              value={amount}
              onChange={setAmount}
              error={tooLong ? '0 to 30 days.' : undefined}
            />
            <Select
              label="Unit"
              options={UNITS.map(({ id, label }) => ({ id, label }))}
              value={unit.id}
              onChange={setUnitId}
            />
          </div>
          <div className={styles['actions']}>
            <Button onPress={() => setAsking(true)} isDisabled={tooLong}>
              Rotate secret
            </Button>
          </div>
        </>
      )}
      <ConfirmDialog
        title={`Rotate the secret of ${receiver.name}`}
        isOpen={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => rotate.mutate({ input: { id: receiver.id, overlapSeconds } })}
        action="Rotate secret"
        danger={overlapSeconds === 0}
        busy={rotate.isPending}
        error={rotate.error}
      >
        {overlapSeconds === 0
          ? 'The old secret ends at once: until the receiver knows the new one, it refuses what it is sent.'
          : `Deliveries are signed with both secrets for ${duration(overlapSeconds * 1000)}. A secret that still signs from an earlier rotation ends at once.`}
      </ConfirmDialog>
      {secret !== null && (
        <Dialog title="The new secret" isOpen onClose={() => setSecret(null)} isDismissable={false}>
          <SecretOnce secret={secret} onKept={() => setSecret(null)} />
        </Dialog>
      )}
    </Card>
  );
}
