/** Events: live and paused, filtered through the address, one in detail, sent again one by one and all that match. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage } from '../browser';
import { openStage, type Stage } from '../stage';

let stage: Stage;
let browser: Browser;
let receiver: Server;
let works = false;

before(async () => {
  receiver = createServer((request, response) => {
    request.resume();
    response.writeHead(works ? 200 : 500, { 'content-type': 'text/plain', 'x-line': '7' });
    response.end(works ? 'thanks' : 'the line is down');
  });
  receiver.listen(0, '127.0.0.1');
  stage = await openStage({ as: 'demo' });
  browser = await openBrowser();
});

after(async () => {
  await browser.close();
  await stage.close();
  receiver.closeAllConnections();
  receiver.close();
});

const rows = (page: Page) => page.getByRole('grid', { name: 'Events' }).getByRole('row');

async function newestId(page: Page): Promise<number> {
  return Number(await rows(page).nth(1).getByRole('gridcell').nth(1).textContent());
}

async function waitForNewer(page: Page, id: number): Promise<void> {
  await page.waitForFunction((known) => {
    const newest = document.querySelector('[role=grid] [aria-rowindex="2"] [role=gridcell]:nth-child(2)');
    return Number(newest?.textContent) > known;
  }, id);
}

test('events appear as changes are committed; a pause keeps the list still and counts', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await rows(page).nth(1).waitFor();
  await waitForNewer(page, await newestId(page));

  await page.getByRole('button', { name: 'Pause' }).click();
  const kept = await newestId(page);
  await page.getByText(/Paused\. [1-9]\d* came meanwhile/).waitFor();
  assert.equal(await newestId(page), kept);
  await page.getByRole('button', { name: 'Resume' }).click();
  await waitForNewer(page, kept);
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(complaints, []);
});

test('filters stand in the address: they outlive a reload and the back button undoes them', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await page.goto(`${stage.url}/events?status=delivered&resource=RUN_STEP`);
  const onlyOf = async (resource: string): Promise<void> => {
    await rows(page).nth(1).getByText(`${resource} `).waitFor();
    const told = rows(page)
      .getByRole('gridcell')
      .filter({ hasText: / (CREATE|UPDATE|DELETE)$/ });
    for (const text of await told.allTextContents()) assert.ok(text.startsWith(`${resource} `), text);
  };
  await onlyOf('RUN_STEP');

  await page.getByRole('button', { name: /Resource/ }).click();
  await page.getByRole('option', { name: 'PART_INVENTORY', exact: true }).click();
  await page.waitForURL(/resource=PART_INVENTORY/);
  await onlyOf('PART_INVENTORY');
  await page.reload();
  await onlyOf('PART_INVENTORY');
  await page.goBack();
  await onlyOf('RUN_STEP');
  assert.deepEqual(complaints, []);
});

test('what failed is sent again after its receiver was mended: one, then all that match', async () => {
  const { port } = receiver.address() as AddressInfo;
  const { createWebhookReceiver: made } = await stage.ask<{
    createWebhookReceiver: { webhookReceiver: { id: number } };
  }>(
    `mutation ($uri: String!) { createWebhookReceiver(input: {
       name: "Line 7", webhookUri: $uri, retryPolicy: { maxAttempts: 1 } }) { webhookReceiver { id } } }`,
    { uri: `http://127.0.0.1:${port}/hooks` },
  );
  const { id } = made.webhookReceiver;
  await stage.ask(
    `mutation ($id: Int!) { createWebhookSubscription(input: {
       receiverId: $id, resource: PART_INVENTORY, action: UPDATE }) { webhookSubscription { id } } }`,
    { id },
  );

  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await page.goto(`${stage.url}/events?status=failed&receiver=${id}`);
  await page.getByText(/^[3-9] loaded/).waitFor();
  works = true;

  const failed = await newestId(page);
  await page.getByRole('grid', { name: 'Events' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /^Event \d+/ }).waitFor();
  assert.ok(Number(new URL(page.url()).pathname.split('/').at(-1)) >= failed);

  await page.getByRole('alert').filter({ hasText: 'Why it is not delivered' }).waitFor();
  await page.getByText('HTTP 500').first().waitFor();
  await page.getByText('the line is down').first().waitFor();
  await page.getByText('x-line').waitFor();
  const diff = page.getByRole('region', { name: 'Old and new values' });
  await diff.getByRole('rowheader', { name: 'quantity' }).waitFor();
  const cells = await diff
    .getByRole('row', { name: /quantity/ })
    .getByRole('cell')
    .allTextContents();
  assert.equal(cells.length, 2);
  assert.notEqual(cells[0], cells[1]);
  const shown = await page.getByRole('region', { name: 'body, indented' }).textContent();
  const body = JSON.parse(shown ?? '') as { data: { old: object; new: object } };
  assert.deepEqual(Object.keys(body.data.old), Object.keys(body.data.new));
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('button', { name: 'Redeliver', exact: true }).click();
  await page.getByRole('main').getByRole('status').getByText('delivered', { exact: true }).waitFor();
  await page.getByText('Attempt 2').waitFor();

  await page.getByRole('link', { name: 'Events', exact: true }).last().click();
  await page.waitForURL(/receiver=/);
  await page.getByRole('button', { name: 'Redeliver matching' }).click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByText(/^[1-9]\d* events? match(es)? now/).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  await dialog.getByRole('button', { name: /^Redeliver [1-9]\d* events?/ }).click();
  await page.getByText(/^[1-9]\d* events? sent once more/).waitFor();

  await page.goto(`${stage.url}/events?status=failed&receiver=${id}`);
  await page.getByRole('heading', { name: 'No event matches these filters' }).waitFor();
  assert.deepEqual(complaints, []);
});
