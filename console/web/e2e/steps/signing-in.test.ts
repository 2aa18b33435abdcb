/** Signing in with a key and with a link, a key that is refused, signing out. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage } from '../browser';
import { openStage, type Stage } from '../stage';

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

test('a wrong key is refused, the right one signs in, signing out ends it', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/keys`);
  await page.getByRole('heading', { name: 'Sign in to rowhook' }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByLabel('API key').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('The API key was not accepted').waitFor();

  await page.getByLabel('API key').fill(stage.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/keys');
  await page.getByRole('banner').getByText('admin').first().waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to rowhook' }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.deepEqual(complaints, []);
});

test('a key that is revoked while it is used signs out, and the page says why', async () => {
  const { createApiKey: made } = await stage.ask<{ createApiKey: { key: string; apiKey: { id: number } } }>(
    'mutation { createApiKey(input: { name: "soon gone", role: viewer }) { key apiKey { id } } }',
  );
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/receivers#key=${made.key}`);
  await page.getByRole('banner').getByText('soon gone').waitFor();
  await stage.ask('mutation ($id: Int!) { revokeApiKey(id: $id) { apiKey { id } } }', { id: made.apiKey.id });
  // The list asks anew by itself, and is refused.
  await page.getByRole('alert').getByText('You were signed out').waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByLabel('API key').fill(stage.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Receivers' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('a link with the key signs in and loses the key', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.deepEqual(complaints, []);
});

test('on a phone the menu leads to each place and nothing scrolls sideways', async () => {
  const { page, complaints } = await openPage(browser, { viewport: { width: 390, height: 844 } });
  await page.goto(`${stage.url}/#key=${stage.key}`);
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Egress addresses' }).click();
  await page.getByRole('heading', { level: 1, name: 'Egress addresses' }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  assert.deepEqual(complaints, []);
});
