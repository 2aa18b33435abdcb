/** Adds a header, or changes one. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { queryClient, useAct } from '@/api';
import { Button } from '@/design/Button';
import { Dialog } from '@/design/Dialog';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { TextField } from '@/design/TextField';
import { toast } from '@/design/toasts';
import { AddHeaderDocument, UpdateHeaderDocument } from './documents';
import type { Header } from './Headers';
import { receiverKey } from './parts';
import styles from './receiver.module.css';

export interface HeaderDialogProps {
  readonly receiverId: number;
  /** The one to change; null: a new one. */
  readonly header: Header | null;
  /** What is stored of it now, which may be newer. */
  readonly latest?: Header | undefined;
  readonly onClose: () => void;
}

export function HeaderDialog({ receiverId, header, latest, onClose }: HeaderDialogProps): ReactNode {
  const [base, setBase] = useState(header);
  const [key, setKey] = useState(header?.key ?? '');
  const [value, setValue] = useState(header?.value ?? '');
  const done = (): void => {
    toast(`${key.toLowerCase()} is saved`);
    onClose();
  };
  const add = useAct(AddHeaderDocument, { stale: ['receivers'], done });
  const update = useAct(UpdateHeaderDocument, { stale: ['receivers'], done });
  const error = base === null ? add.error : update.error;
  const errors = fieldErrors(error);
  const moved = error?.code === 'CONFLICT' && latest !== undefined && latest._etag !== base?._etag;

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (key.trim() === '' || add.isPending || update.isPending) return;
    if (base === null) {
      add.mutate({ input: { receiverId, key: key.trim(), value } });
    } else {
      update.mutate(
        { input: { id: base.id, etag: base._etag, key: key.trim(), value } },
        { onError: () => void queryClient.invalidateQueries({ queryKey: receiverKey(receiverId) }) },
      );
    }
  };

  const loadAnew = (): void => {
    if (latest === undefined) return;
    setBase(latest);
    setKey(latest.key);
    setValue(latest.value);
    update.reset();
  };

  return (
    <Dialog title={base === null ? 'Add a header' : `Change ${base.key}`} isOpen onClose={onClose}>
      <form className={styles['stack']} onSubmit={submit}>
        <TextField
          label="Name"
          mono
          placeholder="x-token"
          description="Kept in lower case. Names of the connection and of rowhook itself are refused."
          value={key}
          onChange={setKey}
          error={errors.of('key')}
          isRequired
          focusFirst
        />
        <TextField
          label="Value"
          mono
          description="ASCII. It is kept encrypted, and masked for role viewer."
          value={value}
          onChange={setValue}
          error={errors.of('value')}
        />
        <FormErrors error={error} fields={['key', 'value']} />
        {moved && (
          <Button size="s" onPress={loadAnew}>
            Load anew
          </Button>
        )}
        <div className={styles['actions']}>
          <Button type="submit" kind="primary" busy={add.isPending || update.isPending}>
            Save
          </Button>
          <Button onPress={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
