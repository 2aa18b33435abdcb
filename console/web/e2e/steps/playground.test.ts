/** The playground: a query and a subscription with the signed-in key, under its policy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openBrowser, openPage } from '../browser';
import { openStage, type Stage } from '../stage';

let stage: Stage;
let browser: Browser;

before(async () => {
  stage = await openStage({ as: 'demo', rate: 5 });
  browser = await openBrowser();
});

after(async () => {
  await browser.close();
  await stage.close();
});

test('operations run and show data, and the browser refuses nothing', async () => {
  const { page, complaints } = await openPage(browser);
  const strangers: string[] = [];
  page.on('request', (request) => {
    if (!/^(https?|ws):\/\/127\.0\.0\.1[:/]|^data:/.test(request.url())) strangers.push(request.url());
  });
  await page.goto(`${stage.url}/playground#key=${stage.key}`);
  const operation = page.getByRole('region', { name: 'Operation Editor' });
  const answer = page.getByRole('region', { name: 'Result Window' });
  await operation.getByText('captureLagSeconds').waitFor();
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await answer.getByText('"deliveredPerSecond"').first().waitFor();

  await page.getByRole('button', { name: 'Example operations' }).click();
  await page.getByRole('menuitem', { name: 'Watch events live' }).click();
  await operation.getByText('webhookEventChanged').waitFor();
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await answer.getByText('"attemptCount"').first().waitFor();
  await page.getByRole('button', { name: /^Stop query/ }).click();

  // The schema is read: its types are in the documentation.
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByRole('link', { name: 'Mutation', exact: true }).click();
  await page.getByText('createWebhookReceiver', { exact: true }).first().waitFor();

  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(stage.key));
  await page.getByRole('navigation').getByRole('link', { name: 'Receivers' }).click();
  await page.getByRole('heading', { level: 1, name: 'Receivers' }).waitFor();
  assert.deepEqual(complaints, []);
  assert.deepEqual(strangers, []);
});
