/** A receiver's life: made, subscribed, throttled, broken and mended, its secret rotated, deleted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accessibilityFaults, openBrowser, openPage } from '../browser';
import { CLIENT } from '../certificate';
import { openStage, type Stage } from '../stage';

let stage: Stage;
let browser: Browser;
let server: Server;
let status = 200;
const received: IncomingHttpHeaders[] = [];

before(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      received.push(request.headers);
      response
        .writeHead(status, { 'content-type': 'text/plain' })
        .end(status === 200 ? 'thanks' : 'out of order');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stage = await openStage();
  browser = await openBrowser();
});

after(async () => {
  // First: left open it would keep the process, should the stage have failed.
  server.close();
  await browser.close();
  await stage.close();
});

async function commitPart(): Promise<void> {
  await stage.ask('mutation { createSampleChange(input: { resource: PART, action: CREATE }) { rowId } }');
}

async function sendTest(page: Page, outcome: string): Promise<void> {
  await page.getByRole('tab', { name: 'Test delivery' }).click();
  await page.getByRole('button', { name: 'Send test delivery' }).click();
  await page.getByRole('region', { name: 'What came of it' }).getByText(outcome, { exact: true }).waitFor();
}

test('a receiver is made, subscribed, throttled, broken, mended, rotated and deleted', async () => {
  const { page, complaints } = await openPage(browser);
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  await page.goto(`${stage.url}/receivers#key=${stage.key}`);
  await page.getByRole('link', { name: 'Create the first one' }).click();

  // What is wrong with the URI is said while it is typed.
  await page.getByLabel('Name').fill('Orders');
  await page.getByLabel('URI').fill('https://me:word@receiver.example/');
  await page.getByText('Leave out the user and the password').waitFor();
  // Then the API is asked: where it leads, and whether rowhook would go there.
  await page.getByLabel('URI').fill('https://10.1.2.3/hooks');
  await page.getByText('It would be refused. It points to 10.1.2.3, a private address').waitFor();
  await page.getByLabel('URI').fill(uri);
  await page.getByText('Deliveries are allowed to go there').waitFor();
  await page.getByText('Address: 127.0.0.1').waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.getByRole('button', { name: 'Create receiver' }).click();

  // The secret is shown once, with code for this very receiver.
  await page.getByText('This secret is shown once').waitFor();
  const secret = await page.getByRole('region', { name: 'the shared secret' }).innerText();
  assert.match(secret, /^whsec_\S+$/);
  for (const language of ['Python', 'Node', 'Go', 'Rust']) {
    await page.getByRole('tab', { name: language }).click();
    await page
      .getByRole('region', { name: `the code in ${language}`, exact: true })
      .getByText(uri)
      .waitFor();
  }
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.getByRole('button', { name: 'I have kept it' }).click();

  // Without a subscription it says so, and gets one.
  await page.getByRole('heading', { name: 'It is subscribed to nothing' }).waitFor();
  assert.equal(await page.getByText(secret).count(), 0);
  await page.getByRole('button', { name: 'Add subscription' }).click();
  await page.getByRole('button', { name: /Resource/ }).click();
  await page.getByRole('option', { name: 'PART', exact: true }).click();
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.getByRole('link', { name: 'PART CREATE' }).waitFor();

  // A header goes with what it is sent.
  await page.getByRole('tab', { name: /^Headers/ }).click();
  await page.getByRole('button', { name: 'Add header' }).click();
  await page.getByLabel('Name').fill('X-Token');
  await page.getByLabel('Value').fill('pass-phrase');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('cell', { name: 'pass-phrase' }).waitFor();
  await sendTest(page, 'delivered');
  assert.equal(received.at(-1)?.['x-token'], 'pass-phrase');

  // The form shows the schedule that it makes, and what it saved is there after a reload.
  await page.getByRole('tab', { name: 'Throttle and retry' }).click();
  await page.getByText('12 attempts in 31 h').waitFor();
  await page.getByLabel('Requests per second').fill('2.5');
  await page.getByLabel('Attempts', { exact: true }).fill('3');
  await page.getByLabel('First pause (ms)').fill('1000');
  await page.getByLabel('First pause (ms)').blur();
  await page.getByText('3 attempts in 5 s in all').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Throttle and retry are saved').waitFor();
  await page.reload();
  await page.getByText('3 attempts in 5 s in all').waitFor();
  assert.equal(await page.getByLabel('Requests per second').inputValue(), '2.5');
  assert.deepEqual(await accessibilityFaults(page), []);

  // Somebody else changes it meanwhile.
  await page.getByLabel('Requests per second').fill('7');
  await page.getByLabel('Requests per second').blur();
  const { webhookReceiver } = await stage.ask<{ webhookReceiver: { _etag: string } }>(
    '{ webhookReceiver(id: 1) { _etag } }',
  );
  await stage.ask(
    'mutation ($etag: String!) { updateWebhookReceiver(input: { id: 1, etag: $etag, description: "By another" }) { webhookReceiver { id } } }',
    { etag: webhookReceiver._etag },
  );
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The receiver has changed since it was loaded').waitFor();
  await page.getByText('By another').waitFor();
  await page.getByRole('button', { name: 'Load anew' }).click();
  assert.equal(await page.getByLabel('Requests per second').inputValue(), '2.5');

  // Broken: the answer is shown at once, and Activity says why.
  status = 500;
  await sendTest(page, 'failed');
  await page.getByRole('region', { name: 'the body of the answer' }).getByText('out of order').waitFor();
  // A test that fails is not held against it; a change that fails is.
  await page.getByRole('tab', { name: 'Activity' }).click();
  await page.getByText('healthy', { exact: true }).waitFor();
  await commitPart();
  await page.getByText(/^Its last (\d+ )?attempts? failed$/).waitFor();
  await page.getByRole('region', { name: 'Last failures' }).getByText('500').first().waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.getByRole('link', { name: 'Receivers', exact: true }).last().click();
  const listed = page.getByRole('table', { name: 'Receivers' }).getByRole('row', { name: /Orders/ });
  await listed.getByText('HTTP 500').waitFor();
  await listed.getByRole('link', { name: /Orders/ }).click();

  status = 200;
  await commitPart();
  await page.getByText(/^(Attempts failed in the last minute|All is well)$/).waitFor();
  await page.getByText('healthy', { exact: true }).waitFor();

  // Both secrets sign for the overlap.
  await page.getByRole('tab', { name: 'Secret and certificate' }).click();
  await page.getByRole('button', { name: 'Rotate secret' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Rotate secret' }).click();
  const renewed = await page
    .getByRole('dialog', { name: 'The new secret' })
    .getByRole('region', { name: 'the shared secret' })
    .innerText();
  assert.match(renewed, /^whsec_\S+$/);
  assert.notEqual(renewed, secret);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await sendTest(page, 'delivered');
  assert.ok(received.at(-1)?.['x-ion-signature-previous']);

  // A certificate that is none is refused with its field; one that fits its key is shown, and taken away again.
  await page.getByRole('tab', { name: 'Secret and certificate' }).click();
  await page.getByRole('button', { name: 'Set certificate' }).click();
  const form = page.getByRole('dialog', { name: 'Client certificate for Orders' });
  await form.getByLabel('Certificate (PEM)').fill('no certificate');
  await form.getByLabel('Private key (PEM)').fill(CLIENT.key);
  assert.deepEqual(await accessibilityFaults(page), []);
  await form.getByRole('button', { name: 'Set certificate' }).click();
  await form
    .getByText(/^must|^is|^holds|^has/)
    .first()
    .waitFor();
  await form.getByLabel('Certificate (PEM)').fill(CLIENT.certificate);
  await form.getByRole('button', { name: 'Set certificate' }).click();
  await page.getByText('The client certificate is set').waitFor();
  await page.getByRole('region', { name: 'Client certificate' }).getByText('CN=rowhook').first().waitFor();
  await page.getByRole('button', { name: 'Remove certificate' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove certificate' }).click();
  await page.getByText('The client certificate is removed').waitFor();

  // Deleted only by its name.
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete receiver' }).click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByLabel(/Type the name/).fill('Order');
  assert.ok(await dialog.getByRole('button', { name: 'Delete receiver' }).isDisabled());
  await dialog.getByLabel(/Type the name/).fill('Orders');
  await dialog.getByRole('button', { name: 'Delete receiver' }).click();
  await page.getByRole('heading', { name: 'There is no receiver yet' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('a viewer reads, on a phone too, and is told what the role may not', async () => {
  await stage.ask(
    'mutation { createWebhookReceiver(input: { name: "Parts", webhookUri: "https://parts.example/" }) { webhookReceiver { id } } }',
  );
  const { createApiKey } = await stage.ask<{ createApiKey: { key: string } }>(
    'mutation { createApiKey(input: { name: "reader", role: viewer }) { key } }',
  );
  const { page, complaints } = await openPage(browser, { viewport: { width: 390, height: 844 } });
  await page.goto(`${stage.url}/receivers#key=${createApiKey.key}`);
  await page.getByLabel('Search').fill('nobody');
  await page.getByRole('heading', { name: 'No receiver matches' }).waitFor();
  await page.getByLabel('Search').fill('PARTS.example');
  await page.getByRole('button', { name: /Health/ }).click();
  await page.getByRole('option', { name: 'Failing or probing' }).click();
  await page.getByText('None that is failing or probing has “PARTS.example”').waitFor();
  assert.equal(new URL(page.url()).search, '?q=PARTS.example&health=trouble');
  await page.getByRole('button', { name: /Health/ }).click();
  await page.getByRole('option', { name: 'Healthy' }).click();
  await page.getByRole('listitem').getByRole('link', { name: 'Parts' }).click();
  await page.getByRole('heading', { level: 1, name: 'Parts' }).waitFor();
  await page.getByText('It gets nothing: it is subscribed to nothing').waitFor();
  await page.getByText('nobody now: there is nothing to send').waitFor();
  await page.getByText('Ask for a key with role operator to pause or activate it').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(complaints, []);
});
