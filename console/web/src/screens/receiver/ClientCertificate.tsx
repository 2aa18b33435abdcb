/** What rowhook shows to the receiver where it asks for a client certificate (mutual TLS): seen, set, taken away. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { queryClient, useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { Dialog } from '@/design/Dialog';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { RelativeTime } from '@/design/RelativeTime';
import { TextField } from '@/design/TextField';
import { toast } from '@/design/toasts';
import { UpdateReceiverDocument } from './documents';
import { receiverKey, type Receiver } from './parts';
import styles from './receiver.module.css';

type Open = 'set' | 'remove' | null;

export function ClientCertificate({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const [open, setOpen] = useState<Open>(null);
  const { may } = useRole();
  const { clientCertificate: certificate } = receiver;
  return (
    <Card
      title="Client certificate"
      actions={
        may('admin') && (
          <Button onPress={() => setOpen('set')}>
            {certificate === null ? 'Set certificate' : 'Replace certificate'}
          </Button>
        )
      }
    >
      {certificate === null ? (
        <p className={styles['soft']}>
          None is set. A receiver that wants to know by TLS who calls it (mutual TLS) is shown one.
        </p>
      ) : (
        <>
          <dl className={styles['facts']}>
            <dt>Names</dt>
            <dd>{certificate.subject ?? 'whom, can not be read'}</dd>
            <dt>Signed by</dt>
            <dd>{certificate.issuer ?? 'unknown'}</dd>
            <dt>Valid until</dt>
            <dd>
              <RelativeTime at={certificate.validUntil} never="unknown" />
            </dd>
          </dl>
          {may('admin') && (
            <div className={styles['actions']}>
              <Button onPress={() => setOpen('remove')}>Remove certificate</Button>
            </div>
          )}
        </>
      )}
      {open === 'set' && <SetCertificate receiver={receiver} onClose={() => setOpen(null)} />}
      {open === 'remove' && <RemoveCertificate receiver={receiver} onClose={() => setOpen(null)} />}
    </Card>
  );
}

interface AskedProps {
  readonly receiver: Receiver;
  readonly onClose: () => void;
}

function useUpdate({ receiver, onClose }: AskedProps, told: string) {
  const update = useAct(UpdateReceiverDocument, {
    stale: ['receivers'],
    done: () => {
      toast(told);
      onClose();
    },
  });
  const set = (clientCertificate: string | null, clientKey: string | null): void => {
    if (update.isPending) return;
    update.mutate(
      { input: { id: receiver.id, etag: receiver._etag, clientCertificate, clientKey } },
      // Changed by somebody meanwhile: with what is read now, the next try fits.
      { onError: () => void queryClient.invalidateQueries({ queryKey: receiverKey(receiver.id) }) },
    );
  };
  return { set, busy: update.isPending, error: update.error };
}

function SetCertificate(props: AskedProps): ReactNode {
  const [certificate, setCertificate] = useState('');
  const [key, setKey] = useState('');
  const { set, busy, error } = useUpdate(props, 'The client certificate is set');
  const errors = fieldErrors(error);
  const isComplete = certificate.trim() !== '' && key.trim() !== '';
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (isComplete) set(certificate, key);
  };
  return (
    <Dialog title={`Client certificate for ${props.receiver.name}`} isOpen onClose={props.onClose} wide>
      <form className={styles['stack']} onSubmit={submit}>
        <TextField
          label="Certificate (PEM)"
          description="The certificate first, then its chain if it has one."
          placeholder="-----BEGIN CERTIFICATE-----"
          rows={7}
          mono
          value={certificate}
          onChange={setCertificate}
          error={errors.of('clientCertificate')}
          isRequired
          focusFirst
        />
        <TextField
          label="Private key (PEM)"
          description="Without a passphrase: RSA, ECDSA or Ed25519. It is kept encrypted and never shown again."
          placeholder="-----BEGIN PRIVATE KEY-----"
          rows={5}
          mono
          value={key}
          onChange={setKey}
          error={errors.of('clientKey')}
          isRequired
        />
        <FormErrors error={error} fields={['clientCertificate', 'clientKey']} />
        <div className={styles['actions']}>
          <Button type="submit" kind="primary" busy={busy} isDisabled={!isComplete}>
            Set certificate
          </Button>
          <Button onPress={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function RemoveCertificate(props: AskedProps): ReactNode {
  const { set, busy, error } = useUpdate(props, 'The client certificate is removed');
  return (
    <ConfirmDialog
      title="Remove the client certificate"
      isOpen
      onClose={props.onClose}
      onConfirm={() => set(null, null)}
      action="Remove certificate"
      busy={busy}
      error={error}
    >
      Requests that start from then on show none: a receiver that asks for one refuses them. The key is kept
      nowhere.
    </ConfirmDialog>
  );
}
