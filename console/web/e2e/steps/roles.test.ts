/**
 * What keys with a lesser role see: each screen says in words what the role may not do there and who can, asks the API
 * for nothing that it refuses, and has no button that leads to a refusal.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage, type Watched } from '../browser';
import { openStage, type Stage } from '../stage';

let stage: Stage;
let browser: Browser;

before(async () => {
  stage = await openStage({ as: 'demo' });
  browser = await openBrowser();
});

after(async () => {
  await browser.close();
  await stage.close();
});

type LesserRole = 'viewer' | 'operator';

interface Place {
  readonly path: string;
  /** What each role is told there; null: it may use all of it. */
  readonly told: Readonly<Record<LesserRole, RegExp | null>>;
  /** What only an admin has. */
  readonly adminOnly?: readonly string[];
  /** What an operator has too. */
  readonly operatorToo?: readonly string[];
}

const admin = (to: string): RegExp => new RegExp(`Ask for a key with role admin to ${to}`);
const operator = (to: string): RegExp => new RegExp(`Ask for a key with role operator to ${to}`);
const both = (told: RegExp | null): Place['told'] => ({ viewer: told, operator: told });
const apart = (viewer: RegExp | null, other: RegExp | null): Place['told'] => ({ viewer, operator: other });

const PLACES: readonly Place[] = [
  { path: '/', told: apart(operator('commit one'), null), operatorToo: ['Commit'] },
  { path: '/receivers', told: both(admin('make, change')), adminOnly: ['New receiver'] },
  { path: '/receivers/new', told: both(admin('make receivers')), adminOnly: ['Create receiver'] },
  {
    path: '/receivers/1',
    told: apart(operator('pause'), admin('change or delete it')),
    adminOnly: ['Edit', 'More actions'],
    operatorToo: ['Pause'],
  },
  {
    path: '/receivers/1/subscriptions',
    told: apart(operator('pause'), admin('change or delete it')),
    adminOnly: ['Add subscription'],
  },
  {
    path: '/receivers/1/headers',
    told: apart(operator('pause'), admin('change or delete it')),
    adminOnly: ['Add header'],
  },
  { path: '/receivers/1/throttle', told: both(admin('change its throttle')), adminOnly: ['Save'] },
  { path: '/receivers/1/secret', told: both(admin('rotate it')), adminOnly: ['Rotate secret'] },
  { path: '/receivers/1/test', told: both(admin('send one')), adminOnly: ['Send test delivery'] },
  { path: '/subscriptions', told: both(admin('make, change')), adminOnly: ['New subscription'] },
  {
    path: '/subscriptions/new',
    told: both(admin('make subscriptions')),
    adminOnly: ['Create subscription', 'Try it'],
  },
  {
    path: '/subscriptions/1',
    told: apart(operator('switch it'), admin('change or delete this')),
    adminOnly: ['Save', 'Delete', 'Try it'],
    operatorToo: ['Replay changes'],
  },
  {
    path: '/events',
    told: apart(operator('send events again'), null),
    operatorToo: ['Redeliver matching', 'Cancel matching'],
  },
  { path: '/events/1', told: apart(operator('send it again'), null), operatorToo: ['Redeliver'] },
  {
    path: '/capture',
    told: apart(operator('replay them'), admin('examine the database')),
    adminOnly: ['Examine the database'],
    operatorToo: ['Count the changes'],
  },
  { path: '/playground', told: apart(operator('run mutations'), admin('run mutations')) },
  { path: '/keys', told: both(admin('see, make and revoke')), adminOnly: ['Create key'] },
  { path: '/egress', told: both(null) },
];

/** A page with a key of this role, and what the API refuses to it. */
async function pageAs(role: LesserRole): Promise<Watched & { readonly refusals: readonly string[] }> {
  const { createApiKey } = await stage.ask<{ createApiKey: { key: string } }>(
    `mutation { createApiKey(input: { name: "a ${role}", role: ${role} }) { key } }`,
  );
  const watched = await openPage(browser);
  const refusals: string[] = [];
  const note = (text: string): void => {
    if (text.includes('"FORBIDDEN"')) refusals.push(`${watched.page.url()}: ${text}`);
  };
  watched.page.on('response', (response) => {
    // One that is cut off by leaving the page says nothing.
    if (response.url().endsWith('/graphql')) void response.text().then(note, () => undefined);
  });
  watched.page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => note(payload.toString())),
  );
  await watched.page.goto(`${stage.url}/egress#key=${createApiKey.key}`);
  await watched.page.getByRole('banner').getByText(`a ${role}`).waitFor();
  return { ...watched, refusals };
}

const control = (page: Page, name: string) => {
  const main = page.getByRole('main');
  return main.getByRole('button', { name, exact: true }).or(main.getByRole('link', { name, exact: true }));
};

async function walk(role: LesserRole): Promise<void> {
  const { page, complaints, refusals } = await pageAs(role);
  for (const { path, told, adminOnly = [], operatorToo = [] } of PLACES) {
    await page.goto(`${stage.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null);
    const words = told[role];
    if (words !== null) await page.getByText(words).first().waitFor();
    for (const name of operatorToo) {
      if (role === 'operator') await control(page, name).waitFor();
      else assert.equal(await control(page, name).count(), 0, `${path} has ${name} for a ${role}`);
    }
    for (const name of adminOnly)
      assert.equal(await control(page, name).count(), 0, `${path} has ${name} for a ${role}`);
    assert.equal(await page.getByText('Your key may not do this').count(), 0, path);
    // What opens is looked at too, such as the figures below a chart.
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    // The editor of the playground is another project's page; its step looks at it.
    if (path !== '/playground') assert.deepEqual(await accessibilityFaults(page), [], path);
  }
  assert.deepEqual(refusals, []);
  assert.deepEqual(complaints, []);
}

test('a viewer is told on each screen what the role may not do', () => walk('viewer'));

test('an operator is told so too, and has what the role may do', () => walk('operator'));

test('an operator sends an event again, pauses a receiver and switches a subscription', async () => {
  const { page, complaints, refusals } = await pageAs('operator');
  await page.goto(`${stage.url}/events/1`);
  await page.getByRole('button', { name: 'Redeliver' }).click();
  await page.getByText('Event 1 is sent once more').waitFor();

  await page.goto(`${stage.url}/subscriptions/1`);
  await page.getByRole('switch', { name: 'Active' }).click({ force: true });
  await page.getByText('Subscription is inactive').waitFor();

  await page.goto(`${stage.url}/receivers/1`);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Pause receiver' }).click();
  await page.getByRole('button', { name: 'Activate', exact: true }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  assert.deepEqual(refusals, []);
  assert.deepEqual(complaints, []);
});
