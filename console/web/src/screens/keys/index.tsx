/** The API keys: who has which role, and since when a key was not used. Making and revoking them. */
import { useState, type ReactNode } from 'react';
import { useRole } from '@/api';
import { Button } from '@/design/Button';
import { PageHeader } from '@/design/PageHeader';
import { RoleGate } from '@/design/RoleGate';
import { CreateKey } from './CreateKey';
import { KeyList } from './KeyList';

export default function KeysScreen(): ReactNode {
  const { may } = useRole();
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHeader
        title="Keys"
        description="Each person and each program that uses the API has a key of its own. What it makes and changes carries its name."
        actions={
          may('admin') && (
            <Button kind="primary" onPress={() => setCreating(true)}>
              Create key
            </Button>
          )
        }
      />
      <RoleGate needs="admin" to="see, make and revoke API keys">
        <KeyList onCreate={() => setCreating(true)} />
      </RoleGate>
      {creating && <CreateKey onClose={() => setCreating(false)} />}
    </>
  );
}
