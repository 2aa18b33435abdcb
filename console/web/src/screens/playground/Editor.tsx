/** GraphiQL. It and its workers are loaded from here only, so that no other page pays for them. */
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect, useRef, useSyncExternalStore, type ReactNode } from 'react';
import { currentLook, onLookChange } from '@/design/theme';
import { EXAMPLES } from './examples';
import { fetcher } from './fetcher';
import type { Wanted } from '.';

export default function Editor({ wanted }: { readonly wanted: Wanted | null }): ReactNode {
  const look = useSyncExternalStore(onLookChange, currentLook);
  return (
    <GraphiQL
      fetcher={fetcher}
      forcedTheme={look}
      defaultQuery={EXAMPLES[0]?.query ?? ''}
      // The key is added to every request: it must be neither typed nor stored here.
      isHeadersEditorEnabled={false}
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <span />
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            {prettify}
            {merge}
            {copy}
            <OpenedExample wanted={wanted} />
          </>
        )}
      </GraphiQL.Toolbar>
    </GraphiQL>
  );
}

/** Draws nothing: within GraphiQL, it opens the example that was chosen outside of it in a tab of its own. */
function OpenedExample({ wanted }: { readonly wanted: Wanted | null }): ReactNode {
  const actions = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const opened = useRef<Wanted | null>(null);

  useEffect(() => {
    if (wanted === null || wanted === opened.current) return;
    if (queryEditor === undefined || variableEditor === undefined) return;
    opened.current = wanted;
    actions.addTab();
    queryEditor.setValue(wanted.example.query);
    variableEditor.setValue(wanted.example.variables ?? '');
    queryEditor.focus();
  }, [wanted, queryEditor, variableEditor, actions]);

  return null;
}
