/** Takes an API key, tries it, and goes to where the person wanted to be. */
import { useEffect, useState, type ReactNode, type SyntheticEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { asApiError, type ApiError } from '@/api/errors';
import { signIn, useKey, useRefused } from '@/api/session';
import { Button } from '@/design/Button';
import { ErrorNote } from '@/design/ErrorNote';
import { Note } from '@/design/Note';
import { TextField } from '@/design/TextField';
import { ThemeSwitch } from './ThemeSwitch';
import { pageWithin } from './pageWithin';
import styles from './SignIn.module.css';

export function SignIn(): ReactNode {
  const signedIn = useKey() !== null;
  const refused = useRefused();
  const [parameters] = useSearchParams();
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);

  useEffect(() => {
    document.title = 'Sign in · rowhook';
  }, []);

  if (signedIn) return <Navigate to={pageWithin(parameters.get('to'))} replace />;

  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await signIn(key.trim());
    } catch (thrown) {
      setError(asApiError(thrown));
      setBusy(false);
    }
  };

  const onSubmit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (key.trim() !== '' && !busy) void submit();
  };

  return (
    <main className={styles['page']}>
      <form className={styles['form']} onSubmit={onSubmit}>
        <div className={styles['head']}>
          <h1>Sign in to rowhook</h1>
          <ThemeSwitch />
        </div>
        {refused && error === null && (
          <Note kind="warn" title="You were signed out">
            rowhook does not accept this tab&apos;s API key: it was revoked, or it is no key of this rowhook.
            Sign in with another one.
          </Note>
        )}
        <TextField
          label="API key"
          type="password"
          value={key}
          onChange={setKey}
          autoComplete="current-password"
          name="key"
          mono
          focusFirst
          description="It stays in this browser tab and ends with it."
        />
        <ErrorNote error={error} />
        <Button type="submit" kind="primary" busy={busy} isDisabled={key.trim() === ''}>
          Sign in
        </Button>
        <p className={styles['help']}>
          No key yet? On the machine that runs rowhook:{' '}
          <code>rowhook keys create --name NAME --role admin</code>
        </p>
      </form>
    </main>
  );
}
