/** Makes a key, and shows it the only time that it can be shown. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useAct } from '@/api';
import type { Role } from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { CodeBlock } from '@/design/CodeBlock';
import { Dialog } from '@/design/Dialog';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { Note } from '@/design/Note';
import { Select, type Option } from '@/design/Select';
import { TextField } from '@/design/TextField';
import { CreateApiKeyDocument } from './documents';
import styles from './keys.module.css';

const ROLES: readonly Option<Role>[] = [
  { id: 'viewer', label: 'viewer: reads, header values are masked' },
  { id: 'operator', label: 'operator: also redelivers, replays and pauses' },
  { id: 'admin', label: 'admin: everything' },
];

export function CreateKey({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const create = useAct(CreateApiKeyDocument, { stale: ['keys'] });
  const errors = fieldErrors(create.error);

  const made = create.data?.createApiKey;
  if (made !== undefined) {
    return (
      <Dialog
        title={`Key ${made.apiKey.name}`}
        isOpen
        onClose={onClose}
        isDismissable={false}
        actions={
          <Button kind="primary" onPress={onClose}>
            I have stored the key
          </Button>
        }
      >
        <Note kind="warn" title="The key is shown only now">
          rowhook keeps no copy. Store it where its user finds it; a lost key is replaced by a new one.
        </Note>
        <CodeBlock label="API key" code={made.key} wrap />
        <p>
          It has role {made.apiKey.role} and goes into the header <code>Authorization: Bearer KEY</code>.
        </p>
      </Dialog>
    );
  }

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (!create.isPending) create.mutate({ input: { name: name.trim(), role } });
  };
  return (
    <Dialog title="Create key" isOpen onClose={onClose}>
      <form className={styles['form']} onSubmit={submit}>
        <TextField
          label="Name"
          description="Of the person or program that uses it; what it makes and changes carries this name."
          value={name}
          onChange={setName}
          error={errors.of('name')}
          isRequired
          focusFirst
        />
        <Select
          label="Role"
          options={ROLES}
          value={role}
          onChange={setRole}
          description="The lowest that is enough."
          error={errors.of('role')}
        />
        <FormErrors error={create.error} fields={['name', 'role']} />
        <div className={styles['actions']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isDisabled={name.trim() === ''} busy={create.isPending}>
            Create key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
