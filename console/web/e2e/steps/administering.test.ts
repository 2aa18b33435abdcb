/** Making and revoking a key, the egress addresses, the catalogue, a replay with its count. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage } from '../browser';
import { openStage, type Stage } from '../stage';

const POLL_MS = 100;

let stage: Stage;
let browser: Browser;

before(async () => {
  stage = await openStage();
  browser = await openBrowser();
});

after(async () => {
  await browser.close();
  await stage.close();
});

const statusWith = async (key: string): Promise<number> => {
  const answer = await fetch(`${stage.api}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: '{"query":"{ currentUser { name } }"}',
  });
  return answer.status;
};

test('a key is made, shown once, and revoked by its name', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/keys#key=${stage.key}`);
  await page.getByRole('heading', { name: 'No API keys have been made' }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('button', { name: 'Create key' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('reporting');
  await dialog.getByRole('button', { name: 'Create key' }).click();
  const key = (await dialog.getByRole('region', { name: 'API key' }).textContent())?.trim() ?? '';
  assert.equal(await statusWith(key), 200);
  assert.deepEqual(await accessibilityFaults(page), []);
  await dialog.getByRole('button', { name: 'I have stored the key' }).click();

  await page.getByRole('button', { name: 'Revoke key reporting' }).click();
  const confirm = page.getByRole('alertdialog');
  const revoke = confirm.getByRole('button', { name: 'Revoke key' });
  assert.ok(await revoke.isDisabled());
  await confirm.getByRole('textbox').fill('reporting');
  await revoke.click();
  await page.getByText('Key reporting is revoked').waitFor();
  assert.equal(await statusWith(key), 401);
  await page.getByText('Show revoked keys (1)').waitFor();
  assert.deepEqual(complaints, []);
});

test('the egress addresses stand in the forms of firewalls', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/egress#key=${stage.key}`);
  await page.getByRole('region', { name: 'Comma separated' }).getByText('203.0.113.7/32').first().waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(complaints, []);
});

test('history is counted before it is replayed', async () => {
  const { createWebhookReceiver } = await stage.ask<{
    createWebhookReceiver: { webhookReceiver: { id: number } };
  }>(
    'mutation ($input: CreateWebhookReceiverInput!) { createWebhookReceiver(input: $input) { webhookReceiver { id } } }',
    { input: { name: 'archive', webhookUri: 'http://127.0.0.1:9/hooks' } },
  );
  const { createWebhookSubscription } = await stage.ask<{
    createWebhookSubscription: { webhookSubscription: { id: number } };
  }>(
    'mutation ($input: CreateWebhookSubscriptionInput!) { createWebhookSubscription(input: $input) { webhookSubscription { id } } }',
    {
      input: {
        receiverId: createWebhookReceiver.webhookReceiver.id,
        resource: 'PART',
        action: 'CREATE',
      },
    },
  );
  const { createSampleChange } = await stage.ask<{ createSampleChange: { rowId: number } }>(
    'mutation { createSampleChange(input: { resource: PART, action: CREATE }) { rowId } }',
  );
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/events#key=${stage.key}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  // Only what is fanned out is replayed.
  for (;;) {
    const { webhookEvents } = await stage.ask<{ webhookEvents: unknown[] }>('{ webhookEvents { id } }');
    if (webhookEvents.length > 0) break;
    await pause(POLL_MS);
  }
  await page.goto(`${stage.url}/capture?subscription=${createWebhookSubscription.webhookSubscription.id}`);
  await page.getByRole('table', { name: 'Watched tables' }).getByText('in force').first().waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('button', { name: 'Count the changes' }).click();
  await page.getByRole('alert').getByText('Say which changes').waitFor();
  await page.getByRole('textbox', { name: 'Row id' }).fill(`${createSampleChange.rowId}`);
  await page.getByRole('button', { name: 'Count the changes' }).click();
  await page.getByText('1 change matches.').waitFor();
  await page.getByRole('button', { name: 'Replay them' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Make 1 event' }).click();
  await page.getByText('1 event made').waitFor();
  assert.deepEqual(complaints, []);
});
