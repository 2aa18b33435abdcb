/**
 * Pictures of each screen, in light, in dark and on a phone, against a running demo, into screenshots/ (ignored by
 * git): `ROWHOOK_BINARY=… npm run screenshots [NAME …]`. A screen is added by one line in SCREENS.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openBrowser, openPage } from '../e2e/browser';
import { openStage } from '../e2e/stage';

interface Screen {
  readonly name: string;
  readonly path: string;
  /** Waits for what the picture must show, and opens what it must have open. */
  readonly ready?: (page: Page) => Promise<unknown>;
}

const SCREENS: readonly Screen[] = [
  { name: 'overview', path: '/' },
  { name: 'receivers', path: '/receivers' },
  { name: 'receiver', path: '/receivers/1' },
  { name: 'throttle', path: '/receivers/1/throttle' },
  { name: 'secret', path: '/receivers/1/secret' },
  { name: 'subscriptions', path: '/subscriptions' },
  { name: 'subscription', path: '/subscriptions/1' },
  { name: 'events', path: '/events' },
  { name: 'event', path: '/events/1' },
  { name: 'capture', path: '/capture' },
  {
    name: 'playground',
    path: '/playground',
    ready: (page) => page.getByText('captureLagSeconds').first().waitFor(),
  },
  { name: 'keys', path: '/keys' },
  { name: 'egress', path: '/egress' },
  {
    name: 'sign-in',
    path: '/sign-in',
  },
];

const LOOKS = [
  { look: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { look: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { look: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;

const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
await mkdir(folder, { recursive: true });
const wanted = process.argv.slice(2);
const screens = SCREENS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

const stage = await openStage({ as: 'demo' });
const browser = await openBrowser();
try {
  for (const { look, ...options } of LOOKS) {
    const { page } = await openPage(browser, options);
    for (const { name, path, ready } of screens) {
      const signedIn = name !== 'sign-in';
      await page.goto(`${stage.url}${path}`);
      await page.evaluate(
        (key) => (key === null ? sessionStorage.clear() : sessionStorage.setItem('rowhook.key', key)),
        signedIn ? stage.key : null,
      );
      await page.goto(`${stage.url}${path}`);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await (ready?.(page) ??
        page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null));
      await page.screenshot({ path: `${folder}${name}-${look}.png` });
      console.log(`${name}-${look}.png`);
    }
    await page.context().close();
  }
} finally {
  await browser.close();
  await stage.close();
}
