/** Live figures that move with changes, a receiver in trouble, a lost connection, another key in an open tab. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage } from '../browser';
import { openStage, type Stage } from '../stage';

let stage: Stage;
let browser: Browser;
let receiver: Server;
let answer = 200;

before(async () => {
  stage = await openStage();
  browser = await openBrowser();
  receiver = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(answer).end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  assert.ok(typeof address === 'object' && address !== null);
  const made = await stage.ask<{ createWebhookReceiver: { webhookReceiver: { id: number } } }>(
    'mutation ($input: CreateWebhookReceiverInput!) { createWebhookReceiver(input: $input) { webhookReceiver { id } } }',
    { input: { name: 'stores', webhookUri: `http://127.0.0.1:${address.port}/hooks` } },
  );
  await stage.ask(
    'mutation ($input: CreateWebhookSubscriptionInput!) { createWebhookSubscription(input: $input) { webhookSubscription { id } } }',
    {
      input: {
        receiverId: made.createWebhookReceiver.webhookReceiver.id,
        resource: 'PART',
        action: 'CREATE',
      },
    },
  );
});

after(async () => {
  await browser.close();
  await stage.close();
  receiver.close();
});

const commit = (): Promise<unknown> =>
  stage.ask('mutation { createSampleChange(input: { resource: PART, action: CREATE }) { description } }');

const figure = (page: Page, label: string, value: RegExp): Locator =>
  page
    .getByRole('region', { name: 'Live figures' })
    .locator('dl')
    .filter({ hasText: label })
    .getByText(value);

const connection = (page: Page, words: string): Promise<void> =>
  page.getByRole('status', { name: `Live data: ${words}` }).waitFor();

async function choose(page: Page, label: string, option: RegExp): Promise<void> {
  await page.getByRole('button', { name: new RegExp(label) }).click();
  await page.getByRole('option', { name: option }).click();
}

test('a committed change is seen live, and a receiver in trouble with its reason', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await connection(page, 'live');
  await figure(page, 'Success rate', /^none$/).waitFor();
  await page.getByText('The receiver is healthy').waitFor();

  // Who does the work: the only instance there is, with what that means.
  const instances = page.getByRole('table', { name: 'Instances' });
  await instances.getByRole('row', { name: /this one runs yes/ }).waitFor();
  assert.equal(await instances.getByRole('row').count(), 2);
  await page.getByText('One instance does everything').waitFor();

  await choose(page, 'Resource', /^PART$/);
  await choose(page, 'Action', /^CREATE/);
  await page.getByRole('button', { name: 'Commit' }).click();
  const events = page.getByRole('list', { name: 'Events of the change' });
  await events.getByText('delivered').waitFor();
  await events.getByText('to stores').waitFor();
  await figure(page, 'Success rate', /^100 %$/).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  answer = 503;
  await commit();
  await page.getByRole('heading', { name: 'Receivers in trouble: 1' }).waitFor();
  await page.getByRole('link', { name: 'stores' }).waitFor();
  await figure(page, 'Pending', /^1$/).waitFor();
  assert.deepEqual(complaints, []);
});

test('a lost connection is told, and begins again by itself', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await connection(page, 'live');
  await figure(page, 'Pending', /^1$/).waitFor();

  await stage.stop();
  await connection(page, 'connection lost, trying again');
  await page.getByText('these figures are from').waitFor();
  await stage.start();
  await connection(page, 'live');
  await commit();
  await figure(page, 'Pending', /^2$/).waitFor();
});

test('another key in an open tab starts everything anew, and a viewer may not commit', async () => {
  const { createApiKey } = await stage.ask<{ createApiKey: { key: string } }>(
    'mutation { createApiKey(input: { name: "onlooker", role: viewer }) { key } }',
  );
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await connection(page, 'live');
  await page.evaluate((key) => {
    window.location.hash = `#key=${key}`;
  }, createApiKey.key);
  await page.getByRole('banner').getByText('onlooker').waitFor();
  await connection(page, 'live');
  await figure(page, 'Pending', /^\d+$/).waitFor();

  await page.getByText('Ask for a key with role operator to commit one').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Commit' }).count(), 0);

  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('heading', { name: 'This needs role admin' }).waitFor();
  assert.deepEqual(complaints, []);
});
