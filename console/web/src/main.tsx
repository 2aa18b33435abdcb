/** Where the console begins. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { signInFromAddress } from './api/key';
import { App } from './app/App';
import { followTheme } from './design/theme';
import './design/tokens.css';
import './design/reset.css';

followTheme();
// Before anything is drawn: a link that carries the key shows its page and never the sign-in.
signInFromAddress();
window.addEventListener('hashchange', signInFromAddress);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with id "root"');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
