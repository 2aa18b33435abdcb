/** A subscription: made with changed fields and a filter, tried on real changes, changed, deleted. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage } from '../browser';
import { openStage, type Stage } from '../stage';

let stage: Stage;
let browser: Browser;

before(async () => {
  stage = await openStage({ as: 'demo', rate: 20 });
  browser = await openBrowser();
});

after(async () => {
  await browser.close();
  await stage.close();
});

interface Tried {
  readonly testWebhookFilter: { readonly firesCount: number; readonly changeCount: number };
}

const FILTER = "new.status == 'complete'";

/** Until the demo has completed a step and changed another one in some other way, at one look. */
async function changesOfBothKinds(): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { testWebhookFilter: tried } = await stage.ask<Tried>(
      `query ($filter: String!) {
        testWebhookFilter(
          input: { resource: RUN_STEP, action: UPDATE, changedFields: ["status"], filter: $filter }
        ) { firesCount changeCount }
      }`,
      { filter: FILTER },
    );
    if (tried.changeCount >= 10 && tried.firesCount > 0 && tried.firesCount < tried.changeCount) return;
    assert.ok(Date.now() < deadline, 'the demo made no changes of both kinds');
  }
}

async function choose(page: Page, field: string, option: RegExp): Promise<void> {
  await page.getByRole('button', { name: field }).click();
  await page.getByRole('option', { name: option }).click();
}

test('a subscription is made, tried, changed and deleted', async () => {
  await changesOfBothKinds();
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/subscriptions#key=${stage.key}`);
  await page.getByRole('table', { name: 'Subscriptions' }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('link', { name: 'New subscription' }).click();
  await page.getByRole('heading', { level: 1, name: 'New subscription' }).waitFor();
  await page.getByRole('combobox', { name: 'Receiver' }).click();
  await page.getByRole('option').first().click();
  await page.getByRole('button', { name: /Resource/ }).click();
  assert.equal(await page.getByRole('option', { name: /^RUN_STEPS/ }).count(), 0, 'aliases are not offered');
  await page.getByRole('option', { name: /^RUN_STEP / }).click();
  await page.getByRole('checkbox', { name: 'status' }).check({ force: true });

  // A filter that can not be is told with its place.
  const filter = page.getByRole('textbox', { name: 'Filter' });
  await filter.fill('new.statsu == 1');
  await page.getByRole('button', { name: 'Create subscription' }).click();
  await page.getByText(/did you mean "status"\? \(line 1, column 5\)/).waitFor();
  assert.match(
    (await page.getByLabel('Where the filter was refused').textContent()) ?? '',
    /^new\.statsu.*\n +\^/,
  );

  // The try-out shows changes of both kinds, and the whole rows of each, also of one that fires nothing.
  await filter.fill(FILTER);
  await page.getByRole('button', { name: 'Try it' }).click();
  const tried = page.getByRole('list', { name: 'Tried changes' }).locator('summary');
  const shown = page.getByRole('region', { name: 'Old and new values' });
  const row = (column: string) =>
    shown.getByRole('row', { name: new RegExp(`^${column} `) }).getByRole('cell');
  const passed = tried.filter({ hasText: 'the filter is false' }).first();
  await passed.click();
  await row('status').nth(1).waitFor();
  assert.doesNotMatch(await row('status').nth(1).innerText(), /complete/);
  await passed.click();
  await tried.filter({ hasText: 'the filter is true' }).first().click();
  await row('status').nth(1).getByText('"complete"').waitFor();
  const [before, after] = await row('id').allInnerTexts();
  assert.ok(before !== undefined && before === after, 'what did not change is told too');
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('button', { name: 'Create subscription' }).click();
  await page.getByRole('heading', { level: 1, name: /^Subscription \d+$/ }).waitFor();
  const id = Number(new URL(page.url()).pathname.split('/').at(-1));
  await page.getByRole('table', { name: 'Last events' }).getByText('delivered').first().waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('checkbox', { name: 'measurement' }).check({ force: true });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Subscription saved').waitFor();
  assert.deepEqual(await settingOf(id), { changedFields: ['status', 'measurement'], filter: FILTER });

  // Somebody else's change is not written over unseen.
  await filter.fill('new.position > 1');
  await changeElsewhere(id, 'new.position > 2');
  await page.getByText('This subscription was changed meanwhile').waitFor();
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('This subscription was changed meanwhile').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Undo changes' }).waitFor({ state: 'hidden' });
  assert.equal((await settingOf(id)).filter, 'new.position > 1');

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete subscription' }).click();
  await page.getByRole('heading', { level: 1, name: 'Subscriptions' }).waitFor();
  await page.getByText(`Subscription ${id} deleted`).waitFor();
  assert.deepEqual(complaints, []);
});

test('the address says what the list shows', async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${stage.url}/subscriptions?resource=PART#key=${stage.key}`);
  await page.getByText('3 of 3 shown').waitFor();
  await choose(page, 'All actions', /^DELETE$/);
  await page.getByText('1 of 1 shown').waitFor();
  assert.equal(new URL(page.url()).search, '?resource=PART&action=DELETE');
  await choose(page, 'Active or not', /^Inactive$/);
  await page.getByRole('button', { name: 'Show all subscriptions' }).click();
  await page.getByText(/^2\d of 2\d shown$/).waitFor();
  assert.equal(new URL(page.url()).search, '');
  assert.deepEqual(complaints, []);
});

interface Setting {
  readonly changedFields: string[] | null;
  readonly filter: string | null;
}

async function settingOf(id: number): Promise<Setting> {
  const { webhookSubscription } = await stage.ask<{ webhookSubscription: Setting }>(
    'query ($id: Int!) { webhookSubscription(id: $id) { changedFields filter } }',
    { id },
  );
  return webhookSubscription;
}

async function changeElsewhere(id: number, filter: string): Promise<void> {
  const { webhookSubscription } = await stage.ask<{ webhookSubscription: { _etag: string } }>(
    'query ($id: Int!) { webhookSubscription(id: $id) { _etag } }',
    { id },
  );
  await stage.ask(
    `mutation ($input: UpdateWebhookSubscriptionInput!) {
      updateWebhookSubscription(input: $input) { webhookSubscription { id } }
    }`,
    { input: { id, etag: webhookSubscription._etag, filter } },
  );
}
